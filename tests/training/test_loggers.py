"""The history of a run as its logger writes it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import wandb
from composed import compose_evaluation, compose_short_run

from tem_vae.evaluation.run import evaluate
from tem_vae.runs.history import read_history
from tem_vae.training.loggers import HistoryLogger
from tem_vae.training.run import train


def test_scalars_of_an_update_stand_in_one_row(tmp_path: Path) -> None:
    history = HistoryLogger(tmp_path / "history.csv")
    history.log_metrics({"loss": 1.5, "epoch": 0}, step=9)
    history.log_metrics({"score": 0.25}, step=9)
    history.log_metrics({"loss": 1.25}, step=19)
    history.save()
    assert read_history(history.path) == {9: {"loss": 1.5, "score": 0.25}, 19: {"loss": 1.25}}


def test_a_continued_run_keeps_what_came_before_it(tmp_path: Path) -> None:
    first = HistoryLogger(tmp_path / "history.csv")
    for update in (9, 19, 29):
        first.log_metrics({"loss": float(update)}, step=update)
    first.finalize("failed")
    second = HistoryLogger(tmp_path / "history.csv", first_update=20)
    second.log_metrics({"loss": -1.0}, step=29)
    second.finalize("success")
    assert read_history(second.path) == {9: {"loss": 9.0}, 19: {"loss": 19.0}, 29: {"loss": -1.0}}


@pytest.mark.parametrize("wanted", [False, True])
def test_the_best_checkpoint_is_an_artifact_if_asked_for(
    wanted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[wandb.Artifact] = []
    log = wandb.Run.log_artifact

    def log_artifact(self: wandb.Run, artifact: wandb.Artifact, **kwargs: object) -> wandb.Artifact:
        logged.append(artifact)
        return log(self, artifact, **kwargs)

    monkeypatch.setattr(wandb.Run, "log_artifact", log_artifact)
    run_dir = tmp_path / "run"
    config = compose_short_run(
        "logger=wandb", f"logger.artifact={str(wanted).lower()}", "trainer.max_steps=1"
    )
    train(config, run_dir)
    files = [{name: entry.local_path for name, entry in a.manifest.entries.items()} for a in logged]
    best, metrics = str(run_dir / "checkpoints" / "best.ckpt"), str(run_dir / "metrics.json")
    assert files == [{"best.ckpt": best, "metrics.json": metrics}] * wanted
    if wanted:
        # As docs/dashboards.md has it; with --dry-run nothing is sent.
        command = f"wandb sync --dry-run {run_dir}/wandb/offline-run-*"
        # The venv whose Python this is need not be activated.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        found = subprocess.run(
            ["bash", "-c", command],
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "1 run" in found.stdout + found.stderr


def test_an_evaluation_logs_its_scores_if_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir, folder = tmp_path / "run", tmp_path / "evaluated"
    train(compose_short_run("logger=none", "trainer.max_steps=1"), run_dir)
    finished: list[wandb.Run] = []
    summaries: list[dict[str, object]] = []
    finish = wandb.Run.__exit__

    def remember_and_finish(run: wandb.Run, *arguments: object) -> bool:
        finished.append(run)
        summaries.append(dict(run.summary))
        return finish(run, *arguments)

    monkeypatch.setattr(wandb.Run, "__exit__", remember_and_finish)
    overrides = (f"checkpoint={run_dir}", "data.walks=1", "logger.tags=[tried]")
    evaluate(compose_evaluation(*overrides), folder)
    assert finished == []
    (scores,) = evaluate(compose_evaluation(*overrides, "logger.kind=wandb"), folder).values()
    assert summaries[0]["test/elbo"] == pytest.approx(scores["test/elbo"])
    assert finished[0].config["checkpoint"] == str(run_dir)
    assert finished[0].tags == ("tried",)
    assert list((folder / "wandb").glob("offline-run-*"))
