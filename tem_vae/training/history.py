"""``history.csv``: every logged scalar by update, whatever other logger there is."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger


class HistoryLogger(Logger):
    """Writes one row an update with a column a scalar; empty where a scalar was not logged.

    A continued run keeps the rows of the updates before the one it continues from.

    Args:
        path: Of the CSV file.
        first_update: Rows of earlier runs from this update on are dropped.
    """

    name = "history"
    version = ""

    def __init__(self, path: Path, first_update: int = 0) -> None:
        super().__init__()
        self.path = path
        self._rows = {update: row for update, row in _read(path).items() if update < first_update}

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the configuration stands in ``config.yaml``."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Take in the scalars of an update."""
        row = self._rows.setdefault(step or 0, {})
        row.update({name: str(value) for name, value in metrics.items() if name != "epoch"})

    def save(self) -> None:
        """Write the file anew, by way of another, so that it is whole at any moment."""
        columns = sorted({name for row in self._rows.values() for name in row})
        scratch = self.path.with_suffix(".csv.part")
        with scratch.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["update", *columns])
            writer.writeheader()
            writer.writerows({"update": update, **self._rows[update]} for update in sorted(self._rows))
        scratch.replace(self.path)

    def finalize(self, status: str) -> None:
        """Write what there is, however the run ended."""
        self.save()


def _read(path: Path) -> dict[int, dict[str, str]]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {
            int(row.pop("update")): {name: value for name, value in row.items() if value}
            for row in csv.DictReader(file)
        }
