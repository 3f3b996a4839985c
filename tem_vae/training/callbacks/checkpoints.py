"""Checkpoints: whole whenever they are there, and enough to continue a run bit for bit."""

import math
import os
import signal
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.runs.checkpoint import CONFIG_KEY
from tem_vae.runs.files import whole_file
from tem_vae.runs.interruption import Interrupted, interruption
from tem_vae.runs.presence import Presence

_ALIKE = 0.1  # nats


class BestCheckpoint(ModelCheckpoint):
    """Keeps the best validation's checkpoint; of those less than 0.1 nats below the best, the last one's.

    The score is a validation ELBO in nats, whose standard error is half of that in a default run. Rates
    fall until the end: of two models that cannot be told apart, the later one's path integration is the more
    exact.
    """

    _highest = -math.inf

    def check_monitor_top_k(self, trainer: L.Trainer, current: Tensor | None = None) -> bool:
        """Whether to keep the checkpoint of this score instead of the one that is kept."""
        if current is None or self.best_model_score is None:
            better = super().check_monitor_top_k(trainer, current)
        else:
            alike = float(current) > self._highest - _ALIKE
            better = trainer.strategy.reduce_boolean_decision(alike)
        if current is not None and not current.isnan():
            self._highest = max(self._highest, float(current))
        return better

    def state_dict(self) -> dict[str, Any]:
        """Lightning's, and the highest score so far."""
        return super().state_dict() | {"highest": self._highest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; in older checkpoints the highest score is that of the kept one."""
        super().load_state_dict(state_dict)
        kept = self.best_model_score
        self._highest = state_dict.get("highest", -math.inf if kept is None else float(kept))


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


def relocate_checkpoints(contents: dict[str, Any], folder: Path) -> None:
    """Make what a checkpoint says of the best one hold in the folder where both are now.

    Lightning forgets the best score where it finds another folder than it remembers, as of a run that was
    moved, and would then overwrite the best checkpoint with the next one, however bad.

    Args:
        contents: Of the checkpoint that a run continues from; changed in place.
        folder: Of the checkpoints.
    """
    here = os.path.realpath(folder)

    def moved(path: str) -> str:
        return os.path.join(here, os.path.basename(path)) if path else path

    for state in contents["callbacks"].values():
        if "dirpath" in state:
            state["dirpath"] = here
            state["best_k_models"] = {moved(path): score for path, score in state["best_k_models"].items()}
            for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
                state[name] = moved(state[name])


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints that are whole whenever they are there, and gives out one that was read before.

    Args:
        presence: Of the folder of the run.
        resumed: The contents of the checkpoint that the run continues from, so that Lightning does not read
            the file a second time; None for a new run.
    """

    def __init__(self, presence: Presence, resumed: dict[str, Any] | None = None) -> None:
        self._presence = presence
        self._resumed = resumed

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write, and return when the bytes are on the disk.

        Raises:
            FolderGoneError: The folder of the run is no longer there.
            OSError: The file cannot be written.
        """
        self._presence.check()
        Path(path).parent.mkdir(exist_ok=True)
        with whole_file(Path(path)) as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                # Where the disk is full torch stumbles once more, over the end that is missing.
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise

    def load_checkpoint(self, path: str | Path, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The contents that were read before, once; afterwards what the file holds."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            return resumed
        contents: dict[str, Any] = super().load_checkpoint(path, *args, **kwargs)
        return contents
