"""The folder of a run: where each of its files is, and what those hold that are plain values.

No other file of the package spells these paths.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from tem_vae.runs.files import write_whole
from tem_vae.runs.history import History, read_history
from tem_vae.runs.plain_yaml import read_yaml

# Where runs are written that were given no place.
RUNS = "runs"

# The scores of a run by name; None where there was nothing to score.
Metrics = dict[str, float | int | None]

# The validation score whose highest value chooses the best checkpoint.
CHOOSES_CHECKPOINT = "elbo/validation_elbo"


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run, of one job of a sweep, or of an evaluation, which writes scores and a report only.

    Attributes:
        path: Of the folder, which need not exist.
    """

    path: Path

    @classmethod
    def of(cls, path: Path) -> Self:
        """The folder of the run that a path means: the folder itself, or one of its checkpoints."""
        return cls(path if path.is_dir() else path.absolute().parent.parent)

    @classmethod
    def around(cls, path: Path) -> Self | None:
        """The training run that a path, which need not exist, is or lies in; None where it lies in none."""
        place = path.resolve()
        runs = (cls(folder) for folder in (place, *place.parents))
        # Either alone may stand in any project; Hydra's folder is there before the first checkpoint.
        return next((run for run in runs if run.config.exists() and run.has_begun), None)

    @property
    def config(self) -> Path:
        """The configuration, written before training begins."""
        return self.path / "config.yaml"

    @property
    def history(self) -> Path:
        """Every logged scalar by update."""
        return self.path / "history.csv"

    @property
    def metrics(self) -> Path:
        """The scores, written last: a run that has them is finished."""
        return self.path / "metrics.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """The checkpoint with the highest validation score, which is tested."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """The checkpoint from which the run continues."""
        return self.checkpoints / "last.ckpt"

    @property
    def non_finite(self) -> Path:
        """The batch and the weights of an update that was not finite."""
        return self.path / "non_finite.pt"

    @property
    def report(self) -> Path:
        """The folder of the page with every figure."""
        return self.path / "report"

    @property
    def failure(self) -> Path:
        """Why a job of a sweep failed."""
        return self.path / "failure.json"

    @property
    def overrides(self) -> Path:
        """The overrides of a job of a sweep, as Hydra writes them."""
        return self.path / ".hydra" / "overrides.yaml"

    @property
    def holds_run(self) -> bool:
        """Whether something of a run was saved here."""
        return any(self.checkpoints.glob("*.ckpt"))

    @property
    def has_begun(self) -> bool:
        """Whether a script has begun to write here."""
        return self.holds_run or self.overrides.parent.exists()

    def read_config(self) -> Any:
        """The configuration as plain values, unchecked; None where there is none.

        Raises:
            yaml.YAMLError: The file is no YAML, or no plain one.
            OSError: It cannot be read, or is too large.
        """
        return read_yaml(self.config) if self.config.exists() else None

    def write_config(self, values: Mapping[str, Any]) -> None:
        """Write the configuration."""
        write_whole(self.config, yaml.safe_dump(dict(values), sort_keys=False))

    def read_metrics(self) -> Metrics | None:
        """The scores; None where the run is not finished."""
        if not self.metrics.exists():
            return None
        metrics: Metrics = json.loads(self.metrics.read_text(encoding="utf-8"))
        return metrics

    def write_metrics(self, metrics: Metrics) -> None:
        """Write the scores."""
        write_whole(self.metrics, json.dumps(metrics, indent=2, allow_nan=False) + "\n")

    def read_history(self) -> History:
        """Every logged scalar by update; nothing where nothing was logged."""
        return read_history(self.history)

    def validation_scores(self) -> dict[str, float]:
        """The validation scores of the best checkpoint by logged name; none before the first validation.

        They stand in the row of ``history.csv`` with the highest value of the score that chose it.
        """
        rows = [row for row in self.read_history().values() if CHOOSES_CHECKPOINT in row]
        best = max(rows, key=lambda row: row[CHOOSES_CHECKPOINT], default={})
        return {
            name: value
            for name, value in best.items()
            if name.startswith(("prediction/", "elbo/validation_"))
        }
