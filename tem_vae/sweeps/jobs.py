"""The jobs of a sweep: where each writes and what it continues, and what all left on disk."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from tem_vae.config.resume import NOT_COMPUTED, concerns
from tem_vae.runs.folder import RunFolder


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


def place_job(composed: DictConfig) -> DictConfig:
    """The configuration of the job that Hydra runs now, with its directory and its sweep's wandb group.

    ``resume`` stays true only where the job left something to continue.
    """
    folder = RunFolder(Path(HydraConfig.get().runtime.output_dir))
    resume = composed.resume and folder.last.exists()
    if composed.resume and not resume:
        # Cut off before its first checkpoint was whole: there is nothing to keep.
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
    placed = composed.copy()
    placed.run_dir = str(folder.path)
    placed.resume = resume
    placed.logger.group = composed.logger.group or folder.path.parent.name
    return placed


def has_jobs(sweep_dir: Path) -> bool:
    """Whether a job of a sweep was begun in a directory."""
    return any(_find_jobs(sweep_dir))


def read_jobs(sweep_dir: Path) -> list[Job]:
    """The jobs of a sweep in the order of their numbers.

    Raises:
        FileNotFoundError: There is no job in the directory.
    """
    directories = sorted(_find_jobs(sweep_dir), key=_order)
    if not directories:
        raise FileNotFoundError(
            f"{sweep_dir} holds no job of a sweep; give the directory that a multirun wrote, "
            "such as multirun/2026-01-31_12-00-00"
        )
    return [_read_job(RunFolder(directory)) for directory in directories]


def _find_jobs(sweep_dir: Path) -> Iterator[Path]:
    return (path for path in sweep_dir.glob("*/") if RunFolder(path).overrides.exists())


def _read_job(folder: RunFolder) -> Job:
    lines = yaml.safe_load(folder.overrides.read_text(encoding="utf-8")) or []
    overrides = dict(_split_override(line) for line in lines if not concerns(line, NOT_COMPUTED))
    metrics = folder.read_metrics()
    if metrics is None:
        return Job(folder.path, overrides, {}, _describe_failure(folder))
    return Job(folder.path, overrides, metrics | folder.validation_scores(), None)


def _split_override(line: str) -> tuple[str, Any]:
    key, _, value = line.lstrip("+~").partition("=")
    return key, _as_number(yaml.safe_load(value))


def _as_number(value: Any) -> Any:
    """YAML reads 1e-3 as a string; Hydra reads a number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _describe_failure(folder: RunFolder) -> str:
    if folder.failure.exists():
        try:
            return str(json.loads(folder.failure.read_text(encoding="utf-8"))["reason"])
        except (OSError, ValueError, KeyError, TypeError):  # as where the disk was full
            return f"failed; why is unknown, for {folder.failure.name} cannot be read"
    return "ended without a result: still running, or killed from outside (as for want of memory)"


def _order(directory: Path) -> tuple[bool, int, str]:
    number = directory.name
    return (not number.isdigit(), int(number) if number.isdigit() else 0, number)
