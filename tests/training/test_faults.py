"""What happens to the disk under a training run is said in one sentence, and what was saved is kept."""

import errno
import os
import resource
import shutil
import warnings
from pathlib import Path

import lightning as L
import pytest
import torch
from kill_runs import differences, finish, launch
from short_runs import short_config

from tem_vae.errors import FolderGoneError
from tem_vae.runs.folder import CHOOSES_CHECKPOINT, RunFolder
from tem_vae.training.callbacks.checkpoints import BestCheckpoint, relocate_checkpoints
from tem_vae.training.module import TemVaeModule
from tem_vae.training.run import train

# Two saves before it: of four updates, and of eight.
AT_UPDATE = 9


@pytest.mark.parametrize("replaced", [False, True])
def test_a_folder_that_is_moved_away_ends_the_run_at_the_next_save(
    replaced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir, moved = tmp_path / "run", tmp_path / "moved"
    step = TemVaeModule.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == AT_UPDATE:
            run_dir.rename(moved)
            if replaced:
                run_dir.mkdir()
        assert self.global_step < 12
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TemVaeModule, "training_step", training_step)
    with pytest.raises(FolderGoneError, match="was removed or moved"):
        train(short_config(run_dir), run_dir)
    assert not run_dir.exists() or not list(run_dir.iterdir())
    assert RunFolder(moved).last.exists()


def test_a_removed_folder_is_one_sentence_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / "run"
    step = TemVaeModule.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == AT_UPDATE:
            shutil.rmtree(run_dir)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TemVaeModule, "training_step", training_step)
    assert finish(launch(run_dir)) == 1
    log = (tmp_path / "run.log").read_text()
    assert log.count("was removed or moved") == 1
    assert "Traceback" not in log
    assert not run_dir.exists()


def test_a_full_disk_is_one_sentence_and_the_run_continues_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(launch(tmp_path / "reference"))
    step = TemVaeModule.training_step

    def training_step(self, batch, batch_idx):
        if self.global_step == AT_UPDATE:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(TemVaeModule, "training_step", training_step)
        assert finish(launch(tmp_path / "run")) == 1
    log = (tmp_path / "run.log").read_text()
    assert f"last.ckpt: {os.strerror(errno.EFBIG)}; continue it with resume=true" in log
    assert "Traceback" not in log
    assert not list(tmp_path.rglob("*.part"))
    assert finish(launch(tmp_path / "run")) == 0
    assert differences(tmp_path / "run", tmp_path / "reference") == []


def test_a_moved_run_keeps_its_best_checkpoint(tmp_path: Path) -> None:
    config = short_config(tmp_path / "run")
    train(config, tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    folder = RunFolder(tmp_path / "moved")
    folder.metrics.unlink()
    contents = torch.load(folder.last, weights_only=True)
    relocate_checkpoints(contents, folder.checkpoints)
    best = BestCheckpoint(folder.checkpoints, monitor=CHOOSES_CHECKPOINT, mode="max")
    with warnings.catch_warnings(action="error"):
        best.load_state_dict(contents["callbacks"][best.state_key])
    assert best.best_model_path == str(folder.best)
    assert best.best_k_models == {str(folder.best): best.best_model_score}
    scores = [row[CHOOSES_CHECKPOINT] for row in folder.read_history().values() if CHOOSES_CHECKPOINT in row]
    alike = [score for n, score in enumerate(scores, start=1) if score > max(scores[:n]) - 0.1]
    assert float(best.best_model_score) == pytest.approx(alike[-1])


@pytest.mark.parametrize(
    ("scores", "kept"),
    [
        ([-3.0, -2.5, -2.8], 1),
        ([-3.0, -2.48, -2.52], 2),  # the later of two that are alike
        ([-2.54, -2.46, -2.53], 2),
        ([-2.41, -2.44, -2.54], 1),
        ([-2.0, -2.06, -2.12, -2.08], 3),  # alike is meant of the best, not of the one that is kept
        ([-2.0, -2.06, -2.12], 1),
        ([-2.0, float("nan")], 0),
    ],
)
def test_the_best_checkpoint_is_the_later_of_two_that_are_alike(scores: list[float], kept: int) -> None:
    best, trainer = BestCheckpoint(monitor="score", mode="max"), L.Trainer(logger=False, max_steps=1)
    chosen = None
    for number, score in enumerate(scores):
        if best.check_monitor_top_k(trainer, torch.tensor(score)):
            chosen, best.best_model_score = number, torch.tensor(score)
            best.best_k_models["best"], best.kth_best_model_path = best.best_model_score, "best"
    assert chosen == kept
