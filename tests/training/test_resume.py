"""A run that was cut off anywhere and continued ends as one that never was, bit for bit."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import torch
from kill_runs import Kill, differences, finish, kill_and_finish, launch
from short_runs import short_config

from tem_vae.config.resume import continued_config
from tem_vae.config.training import TrainConfig
from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.evaluation import checkpoint
from tem_vae.runs.archive import Archive, open_archive
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.interruption import Interrupted, interruptible
from tem_vae.training import optimizer
from tem_vae.training.module import TemVaeModule
from tem_vae.training.run import train

UPDATES = "trainer.max_steps=20"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("reference") / "run"
    train(short_config(run_dir, UPDATES), run_dir)
    return run_dir


@contextmanager
def cut_off(monkeypatch: pytest.MonkeyPatch, update: int, cut: Callable[[], None]) -> Iterator[None]:
    step = TemVaeModule.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == update:
            cut()
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(TemVaeModule, "training_step", training_step)
        yield


def crash() -> None:
    raise RuntimeError("power cut")


def told_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


# Validation is after every 8th update, a row of history after every 3rd, a checkpoint after every 4th.
@pytest.mark.parametrize("update", [0, 7, 10, 19])
def test_continues_exactly_after_being_told_to_end(
    update: int, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = short_config(tmp_path, UPDATES)
    with cut_off(monkeypatch, update, told_to_end), interruptible(), pytest.raises(Interrupted, match="TERM"):
        train(config, tmp_path)
    saved = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["global_step"] == update + 1
    train(short_config(tmp_path, UPDATES, "resume=true"), tmp_path)
    assert differences(tmp_path, reference) == []


@pytest.mark.parametrize("update", [2, 13])
@pytest.mark.parametrize("workers", [0, 2])
def test_continues_exactly_after_a_crash(
    update: int, workers: int, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = (UPDATES, f"data.num_workers={workers}")
    config = short_config(tmp_path, *overrides)
    with cut_off(monkeypatch, update, crash), pytest.raises(RuntimeError, match="power cut"):
        train(config, tmp_path)
    train(short_config(tmp_path, *overrides, "resume=true"), tmp_path)
    assert differences(tmp_path, reference) == []


# A belief serves the updates 10 to 14: one that was cut off after the 12th goes on with it.
@pytest.mark.parametrize("update", [11, 14])
def test_a_belief_is_kept(update: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = (UPDATES, "data.slips=0.2", "model.belief.hypotheses=3", "data.test.walks=1")
    train(short_config(tmp_path / "reference", *overrides), tmp_path / "reference")
    run_dir = tmp_path / "run"
    config = short_config(run_dir, *overrides)
    with cut_off(monkeypatch, update, told_to_end), interruptible(), pytest.raises(Interrupted, match="TERM"):
        train(config, run_dir)
    train(short_config(run_dir, *overrides, "resume=true"), run_dir)
    assert differences(run_dir, tmp_path / "reference") == []


def test_sigkill_while_a_checkpoint_is_written(tmp_path: Path) -> None:
    finish(launch(tmp_path / "reference", UPDATES))
    kill = Kill("checkpoint write", signal.SIGKILL, delay=0)
    struck = kill_and_finish(tmp_path / "run", [kill], UPDATES)
    assert [status for _, status in struck] == [-signal.SIGKILL]
    assert differences(tmp_path / "run", tmp_path / "reference") == []


def test_a_finished_run_stays_as_it_is(reference: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in reference.rglob("*")}
    again = train(short_config(reference, UPDATES, "resume=true"), reference)
    assert again == RunFolder(reference).read_metrics()
    assert {path: path.stat().st_mtime_ns for path in reference.rglob("*")} == before


def test_cut_off_in_the_test_only_tests_again(reference: Path, tmp_path: Path) -> None:
    run_dir = copy_run(reference, tmp_path)
    (run_dir / "metrics.json").unlink()
    train(short_config(run_dir, UPDATES, "resume=true"), run_dir)
    assert differences(run_dir, reference) == []


def test_the_last_checkpoint_is_read_once_and_the_best_once(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(copy_run(reference, tmp_path))
    folder.metrics.unlink()
    read: list[Path] = []

    def counting_open(file: Path) -> AbstractContextManager[Archive]:
        read.append(file)
        return open_archive(file)

    monkeypatch.setattr(checkpoint, "open_archive", counting_open)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch reads a file that is not checked"))
    train(short_config(tmp_path, UPDATES, "resume=true"), tmp_path)
    assert read == [folder.last, folder.best]


def test_a_new_run_does_not_overwrite_another(reference: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds a run already; continue it with resume=true"):
        train(short_config(reference.parent / "another", UPDATES), reference)


def test_a_truncated_checkpoint_is_refused(reference: Path, tmp_path: Path) -> None:
    run_dir = copy_run(reference, tmp_path)
    (run_dir / "metrics.json").unlink()
    config = short_config(run_dir, UPDATES, "resume=true")
    last = run_dir / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:-1000])
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        train(config, run_dir)


def test_a_checkpoint_of_another_optimizer_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As versions wrote it in which what hypotheses are weighed by had the rate of codes."""
    config = short_config(tmp_path, UPDATES, "model.belief.hypotheses=2")
    with monkeypatch.context() as patch:
        patch.setattr(optimizer, "_transitions", lambda memory: [])
        with cut_off(monkeypatch, 7, crash), pytest.raises(RuntimeError, match="power cut"):
            train(config, tmp_path)
    with pytest.raises(CheckpointError, match=r"last\.ckpt is of a version .* begin anew"):
        train(config.model_copy(update={"resume": True}), tmp_path)


class TestContinuedConfig:
    def test_overrides_need_not_be_repeated(self, reference: Path) -> None:
        config = short_config(reference, "resume=true", "trainer.max_steps=7", "seed=5")
        continued = continued_config(config, ["resume=true", f"run_dir={reference}"])
        assert continued == short_config(reference, UPDATES, "resume=true")

    def test_what_may_be_said_anew_is_taken(self, reference: Path) -> None:
        config = short_config(reference, UPDATES, "resume=true", "data.num_workers=2", "logger=csv")
        continued: TrainConfig = continued_config(config, ["data.num_workers=2", "logger=csv"])
        assert (continued.data.num_workers, continued.logger.kind) == (2, "csv")

    def test_other_overrides_are_refused(self, reference: Path) -> None:
        config = short_config(reference, UPDATES, "resume=true", "seed=5", "model.metric.rank=3")
        with pytest.raises(ConfigurationError, match=r"(?s)model.metric.rank = 3: the run has 4.*seed = 5"):
            continued_config(config, ["resume=true", "seed=5", "model.metric.rank=3"])

    def test_without_a_stored_configuration_the_run_is_new(self, tmp_path: Path) -> None:
        config = short_config(tmp_path, "resume=true", "seed=5")
        assert continued_config(config, ["seed=5"]) == config


def copy_run(run_dir: Path, folder: Path) -> Path:
    for path in run_dir.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(run_dir)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder
