"""``history.csv``: every logged scalar of a run, a row an update and a column a scalar."""

import csv
import math
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.runs.files import write_whole

# By update, what was logged at it: values by name.
History = dict[int, dict[str, float]]

_UPDATE = "update"


@dataclass(frozen=True)
class Series:
    """A logged scalar.

    Attributes:
        updates: At which it was logged, (n,).
        values: (n,).
    """

    updates: IntArray
    values: FloatArray


def read_history(path: Path) -> History:
    """What a history file holds; nothing where there is no file."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {
            int(row.pop(_UPDATE)): {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        }


def write_history(path: Path, history: History) -> None:
    """Write the file anew, rows by update and columns by name; empty where a scalar was not logged."""
    columns = sorted({name for row in history.values() for name in row})
    text = StringIO(newline="")
    writer = csv.DictWriter(text, [_UPDATE, *columns])
    writer.writeheader()
    writer.writerows({_UPDATE: update, **history[update]} for update in sorted(history))
    write_whole(path, text.getvalue())


def extract_series(history: History) -> dict[str, Series]:
    """Every scalar by name, its finite values only; one that was never finite is missing."""
    found: dict[str, list[tuple[int, float]]] = {}
    for update, row in history.items():
        for name, value in row.items():
            if math.isfinite(value):
                found.setdefault(name, []).append((update, value))
    return {
        name: Series(
            np.array([update for update, _ in found[name]], dtype=np.int64),
            np.array([value for _, value in found[name]], dtype=np.float64),
        )
        for name in sorted(found)
    }
