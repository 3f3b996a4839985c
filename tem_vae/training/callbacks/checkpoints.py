"""Checkpoints: whole whenever they are there, and enough to continue a run bit for bit."""

import os
import signal
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.io import TorchCheckpointIO

from tem_vae.config.fields import CONFIG_KEY
from tem_vae.config.training import TrainConfig
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
    """Writes beside the file and then renames: a kill at any moment leaves the old file or the new one."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, and return when the bytes are on the disk."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.part")
        with scratch.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
