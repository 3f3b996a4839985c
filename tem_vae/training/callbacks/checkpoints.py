"""Checkpoints: whole whenever they are there, and enough to continue a run bit for bit."""

import signal
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.io import TorchCheckpointIO

from tem_vae.config.training import TrainConfig
from tem_vae.runs.checkpoint import CONFIG_KEY
from tem_vae.runs.files import whole_file
from tem_vae.runs.interruption import Interrupted, interruption


class LatestCheckpoint(Callback):
    """Saves the run between two updates, every so many of them and when it is told to end.

    Between two updates means: all scalars of the last one are logged and, if it was due, its validation is
    done, so that nothing is lost or done twice where the run continues. The only hook of Lightning at that
    moment is the start of the next batch, before anything is computed with it.

    Args:
        path: Of the checkpoint.
        every: Updates from one save to the next.
    """

    def __init__(self, path: Path, every: int) -> None:
        self.path = path
        self.every = every

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take signals back from Lightning, whose handler would end the run without saving it."""
        interruption.install()

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time.

        Raises:
            Interrupted: A signal came; the run is saved.
        """
        # Loggers get this as the number of the update. Lightning loses count of it where a run continues.
        trainer.fit_loop.epoch_loop._batches_that_stepped = trainer.global_step
        told_to_end = trainer.strategy.reduce_boolean_decision(interruption.signum is not None, all=False)
        due = trainer.global_step % self.every == 0
        if (due or told_to_end) and trainer.global_step > 0:
            with interruption.save():
                self._save(trainer)
        if told_to_end:
            # In parallel training the signal may have reached another process only.
            raise Interrupted(interruption.signum or signal.SIGTERM)

    def _save(self, trainer: L.Trainer) -> None:
        """Save as if the batch that is about to begin had not been counted yet."""
        _save_loggers(trainer)
        progress = trainer.fit_loop.epoch_loop.batch_progress
        for count in (progress.total, progress.current):
            count.ready -= 1
        trainer.save_checkpoint(self.path)
        for count in (progress.total, progress.current):
            count.ready += 1


def _save_loggers(trainer: L.Trainer) -> None:
    """What was logged up to the checkpoint is on the disk before it, so that a kill leaves no gap."""
    for logger in trainer.loggers:
        logger.save()


class ConfigInCheckpoint(Callback):
    """Stores the configuration as plain values, so that a checkpoint suffices to rebuild its model."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config.model_dump(mode="json")

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the configuration."""
        checkpoint[CONFIG_KEY] = self.config


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints that are whole whenever they are there, and gives out one that was read before.

    Args:
        resumed: The contents of the checkpoint that the run continues from, so that Lightning does not read
            the file a second time; None for a new run.
    """

    def __init__(self, resumed: dict[str, Any] | None = None) -> None:
        self._resumed = resumed

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, and return when the bytes are on the disk."""
        with whole_file(Path(path)) as file:
            torch.save(checkpoint, file)

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The contents that were read before, once; afterwards what the file holds."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            return resumed
        contents: dict[str, Any] = super().load_checkpoint(path, *args, **kwargs)
        return contents
