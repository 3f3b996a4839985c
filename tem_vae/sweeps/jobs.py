"""What the jobs of a sweep left on disk."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FAILURE_FILE = "failure.json"
METRICS_FILE = "metrics.json"

_ANY_JOB = "*/.hydra/overrides.yaml"
_CHOOSES_CHECKPOINT = "elbo/validation_elbo"
# They say how a job is run, not what it is.
_NOT_CONFIGURATION = ("resume", "run_dir", "logger")


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Attributes:
        directory: Its run directory; the name is the job's number.
        overrides: Its overrides by key, values as YAML reads them.
        metrics: What it measured, by name, test scores and the validation scores of the checkpoint they
            belong to; empty if it did not finish.
        failure: Why it did not finish; None if it did.
    """

    directory: Path
    overrides: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    failure: str | None


def has_jobs(sweep_dir: Path) -> bool:
    """Whether a job of a sweep was begun in a directory."""
    return any(sweep_dir.glob(_ANY_JOB))


def read_jobs(sweep_dir: Path) -> list[Job]:
    """The jobs of a sweep in the order of their numbers.

    Raises:
        FileNotFoundError: There is no job in the directory.
    """
    if not has_jobs(sweep_dir):
        raise FileNotFoundError(
            f"{sweep_dir} holds no job of a sweep; give the directory that a multirun wrote, "
            "such as multirun/2026-01-31_12-00-00"
        )
    directories = sorted((file.parent.parent for file in sweep_dir.glob(_ANY_JOB)), key=_order)
    return [_read_job(directory) for directory in directories]


def validation_scores(run_dir: Path) -> dict[str, float]:
    """The validation scores of a run's best checkpoint, by logged name.

    The best checkpoint is that of the update with the highest validated bound, so its scores stand in that
    row of ``history.csv``.
    """
    history = run_dir / "history.csv"
    if not history.exists():
        return {}
    with history.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get(_CHOOSES_CHECKPOINT)]
    if not rows:
        return {}
    best = max(rows, key=lambda row: float(row[_CHOOSES_CHECKPOINT]))
    return {
        name: float(value)
        for name, value in best.items()
        if value and name.startswith(("prediction/", "elbo/validation_"))
    }


def _read_job(directory: Path) -> Job:
    lines = yaml.safe_load((directory / ".hydra" / "overrides.yaml").read_text()) or []
    overrides = dict(_split_override(line) for line in lines)
    kept = {key: value for key, value in overrides.items() if not key.startswith(_NOT_CONFIGURATION)}
    metrics_file = directory / METRICS_FILE
    if not metrics_file.exists():
        return Job(directory, kept, {}, _describe_failure(directory))
    metrics = json.loads(metrics_file.read_text())
    return Job(directory, kept, metrics | validation_scores(directory), None)


def _split_override(line: str) -> tuple[str, Any]:
    key, _, value = line.lstrip("+~").partition("=")
    return key, _as_number(yaml.safe_load(value))


def _as_number(value: Any) -> Any:
    """YAML reads 1e-3 as a string; Hydra reads a number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _describe_failure(directory: Path) -> str:
    file = directory / FAILURE_FILE
    if file.exists():
        return str(json.loads(file.read_text())["reason"])
    return "ended without a result: still running, or killed from outside (as for want of memory)"


def _order(directory: Path) -> tuple[bool, int, str]:
    number = directory.name
    return (not number.isdigit(), int(number) if number.isdigit() else 0, number)
