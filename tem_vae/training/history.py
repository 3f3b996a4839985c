"""``history.csv``: every logged scalar by update, whatever other logger there is."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from tem_vae.runs.files import write_whole


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

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Take in the scalars of an update."""
        row = self._rows.setdefault(step or 0, {})
        row.update({name: str(value) for name, value in metrics.items() if name != "epoch"})

    @rank_zero_only
    def save(self) -> None:
        """Write the file anew."""
        columns = sorted({name for row in self._rows.values() for name in row})
        text = StringIO(newline="")
        writer = csv.DictWriter(text, ["update", *columns])
        writer.writeheader()
        writer.writerows({"update": update, **self._rows[update]} for update in sorted(self._rows))
        write_whole(self.path, text.getvalue())

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
