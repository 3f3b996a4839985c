"""Where the scalars of a run go: always to its history, and to the logger that the configuration names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger
from lightning.pytorch.utilities import rank_zero_only

from tem_vae.config.training import TrainConfig
from tem_vae.errors import FolderGoneError
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.history import read_history, write_history
from tem_vae.runs.presence import Presence


class HistoryLogger(Logger):
    """Writes the history file of a run, whatever other logger there is.

    A continued run keeps the rows of the updates before the one it continues from.

    Args:
        path: Of the file.
        first_update: Rows of earlier runs from this update on are dropped.
    """

    name = "history"
    version = ""

    def __init__(self, path: Path, first_update: int = 0) -> None:
        super().__init__()
        self.path = path
        self._presence = Presence(path.parent)
        self._rows = {update: row for update, row in read_history(path).items() if update < first_update}

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the configuration has a file of its own."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Take in the scalars of an update."""
        row = self._rows.setdefault(step or 0, {})
        row.update({name: value for name, value in metrics.items() if name != "epoch"})

    @rank_zero_only
    def save(self) -> None:
        """Write the file anew.

        Raises:
            FolderGoneError: Its folder is no longer there, or another one is.
        """
        self._presence.check()
        write_history(self.path, self._rows)

    def finalize(self, status: str) -> None:
        """Write what there is, however the run ended; that it cannot be written hides no other reason."""
        with suppress(FolderGoneError, OSError):
            self.save()


@contextmanager
def open_loggers(config: TrainConfig, folder: RunFolder, first_update: int) -> Iterator[list[Logger]]:
    """The loggers of a run, which are closed at the end of the block.

    Args:
        config: The configuration.
        folder: Where they write.
        first_update: The update from which the run continues, 0 for a new one.
    """
    loggers: list[Logger] = [HistoryLogger(folder.history, first_update)]
    if config.logger.kind == "csv":
        loggers.append(CSVLogger(folder.path, name="csv", version=""))
    if config.logger.kind != "wandb":
        yield loggers
        return
    # It takes a second to load, and only this kind needs it.
    from tem_vae.training.wandb_run import open_wandb

    with open_wandb(config, folder.path) as logger:
        yield [*loggers, logger]
