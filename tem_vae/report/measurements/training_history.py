"""A run's history: bounds and accuracies over training, and when path integration locked in."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.report.table import Table

_LOCKED_IN = 0.9  # of the best zero-shot accuracy of the run

BOUND = ("elbo/elbo", "elbo/reconstruction", "elbo/kl")
VALIDATION_BOUND = ("elbo/validation_elbo", "elbo/validation_reconstruction", "elbo/validation_kl")
ACCURACIES = (
    "prediction/zero_shot_accuracy",
    "prediction/revisit_accuracy",
    "prediction/decoded_zero_shot_accuracy",
)


@dataclass(frozen=True)
class Series:
    """A logged scalar.

    Attributes:
        updates: At which it was logged, (n,).
        values: (n,).
    """

    updates: IntArray
    values: FloatArray


@dataclass(frozen=True)
class TrainingHistory:
    """What was logged in the course of a run.

    Attributes:
        series: The scalars that figures show, by logged name; one that was never logged is missing.
        locked_in: The first validation from which on zero-shot accuracy stayed at 90 % or more of the run's
            best, in updates; None if it did not, or if there was no validation.
    """

    series: dict[str, Series]
    locked_in: int | None

    def tables(self) -> list[Table]:
        """One table in long form."""
        names = [name for name, series in self.series.items() for _ in series.updates]
        columns = {
            "scalar": np.array(names, dtype=object),
            "update": np.concatenate([s.updates for s in self.series.values()] or [np.array([])]),
            "value": np.concatenate([s.values for s in self.series.values()] or [np.array([])]),
        }
        return [Table("training_history", columns)]


def read_history(path: Path) -> TrainingHistory:
    """The bounds and accuracies in a ``history.csv``; nothing if there is none."""
    if not path.exists():
        return TrainingHistory({}, None)
    scalars = read_scalars(path)
    shown = (*BOUND, *VALIDATION_BOUND, *ACCURACIES)
    series = {name: scalars[name] for name in shown if name in scalars}
    return TrainingHistory(series, find_lock_in(series.get(ACCURACIES[0])))


def read_scalars(path: Path) -> dict[str, Series]:
    """Every scalar of a ``history.csv`` by name; one that was never finite is missing."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames or ()
    series = {name: _series(rows, name) for name in names if name != "update"}
    return {name: one for name, one in series.items() if len(one.updates)}


def find_lock_in(zero_shot: Series | None) -> int | None:
    """The update of the first validation from which on 90 % or more of the best accuracy was kept."""
    if zero_shot is None or zero_shot.values.max() == 0:
        return None
    (below,) = np.nonzero(zero_shot.values < _LOCKED_IN * zero_shot.values.max())
    first = below[-1] + 1 if len(below) else 0
    return int(zero_shot.updates[first]) if first < len(zero_shot.updates) else None


def _series(rows: list[dict[str, str]], name: str) -> Series:
    logged = [(int(row["update"]), float(row[name])) for row in rows if row.get(name)]
    finite = [(update, value) for update, value in logged if np.isfinite(value)]
    return Series(
        np.array([update for update, _ in finite], dtype=np.int64),
        np.array([value for _, value in finite], dtype=np.float64),
    )
