"""``last.ckpt``: from where a run that was cut off continues, bit for bit."""

import signal
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from tem_vae.training.interruption import Interrupted, interruption


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
