"""Sweeps as a user starts them."""

import json
import os
import subprocess
import sys

import pytest
from sweeps import REPOSITORY, TINY

from tem_vae.runs.folder import RunFolder


def sweep(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/train.py", *TINY, "-m", *arguments]
    # A terminal that knows neither ± nor frames.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "ascii"}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


def test_a_failed_job_is_named_and_a_continued_sweep_runs_only_what_is_missing(tmp_path):
    sweep_dir = tmp_path / "it's a sweep"
    arguments = [f'hydra.sweep.dir="{sweep_dir}"', "model.metric.rank=2,300,4"]
    ended = sweep(*arguments)
    assert ended.returncode == 1, ended.stderr
    assert "2 jobs finished, 1 did not" in ended.stdout
    assert "job 1 (" in ended.stdout
    assert "300" in json.loads((sweep_dir / "1/failure.json").read_text())["reason"]

    refused = sweep(*arguments)
    assert refused.returncode == 2
    assert "holds a sweep already" in refused.stderr

    kept, lost = sweep_dir / "0/metrics.json", sweep_dir / "2/metrics.json"
    before, once = kept.stat().st_mtime_ns, json.loads(lost.read_text())
    lost.unlink()
    continued = sweep(*arguments, "resume=true")
    assert continued.returncode == 1
    assert kept.stat().st_mtime_ns == before
    again = json.loads(lost.read_text())
    assert {k: v for k, v in again.items() if k.startswith("test/")} == {
        k: v for k, v in once.items() if k.startswith("test/")
    }


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("objective=test/elbo", "prediction/zero_shot_accuracy"),
        ("run_dir=somewhere", "hydra.sweep.dir"),
        ("resume=true", "no sweep in"),
        ("hydra.sweep.dir=", "is empty"),
        (f"hydra.sweep.dir={'long' * 100}", "File name too long"),
        ("hydra.sweep.dir=/proc/x", "hydra.sweep.dir = /proc/x cannot be written to"),
    ],
)
def test_a_sweep_that_cannot_work_is_refused_before_its_first_job(tmp_path, argument, message):
    refused = sweep("seed=0,1", "data.policy.momentum=0.123", argument)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_sweep_is_refused_in_a_training_run(tmp_path):
    RunFolder(tmp_path).write_config({"seed": 0})
    RunFolder(tmp_path).overrides.parent.mkdir()
    before = sorted(tmp_path.rglob("*"))
    refused = sweep("seed=0,1", f"hydra.sweep.dir={tmp_path}/inside")
    assert refused.returncode == 2
    assert "lies in the training run" in refused.stderr
    assert sorted(tmp_path.rglob("*")) == before
