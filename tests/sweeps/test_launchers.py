"""Sweeps through every launcher and sweeper that is installed, each an extra."""

import csv
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sweeps import REPOSITORY, TINY

LAUNCHERS = {
    "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    "submitit": ("hydra/launcher=submitit_local", "hydra.launcher.timeout_min=10"),
    "ray": ("hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=1"),
}


def needs(package: str) -> None:
    if importlib.util.find_spec(f"hydra_plugins.{package}") is None:
        pytest.skip(f"{package} is not installed: it is an extra")


def sweep(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/train.py", "-m", *TINY, f"hydra.sweep.dir={folder}", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


def summarised_jobs(folder: Path) -> list[str]:
    with (folder / "summary.csv").open(newline="") as file:
        return sorted(job for row in csv.DictReader(file) for job in row["jobs"].split())


@pytest.mark.parametrize("name", LAUNCHERS)
def test_every_job_has_its_own_configuration_and_there_is_one_summary(name: str, tmp_path: Path) -> None:
    needs(f"hydra_{name}_launcher")
    ended = sweep(tmp_path, "seed=3,4", *LAUNCHERS[name])
    assert ended.returncode == 0, ended.stderr
    seeds = [yaml.safe_load((tmp_path / job / "config.yaml").read_text())["seed"] for job in ("0", "1")]
    assert seeds == [3, 4]
    assert summarised_jobs(tmp_path) == ["0", "1"]


def test_a_search_goes_on_from_its_finished_trials(tmp_path: Path) -> None:
    needs("hydra_optuna_sweeper")
    search = ("hydra/sweeper=search", "hydra.sweeper.n_trials=3", "model.metric.tau=interval(0.1,1.0)")
    ended = sweep(tmp_path, *search)
    assert ended.returncode == 0, ended.stderr
    assert summarised_jobs(tmp_path) == ["0", "1", "2"]
    finished = {job: (tmp_path / job / "metrics.json").stat().st_mtime_ns for job in ("0", "1", "2")}

    continued = sweep(tmp_path, *search, "resume=true")
    assert continued.returncode == 0, continued.stderr
    assert summarised_jobs(tmp_path) == ["0", "1", "2"]
    assert finished == {job: (tmp_path / job / "metrics.json").stat().st_mtime_ns for job in finished}
