"""What happens beside training: checkpoints, clocks and progress."""

import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import (
    Callback,
    LearningRateMonitor,
    ModelCheckpoint,
)

from tem_vae.data import WalkSource
from tem_vae.training.config import TrainConfig
from tem_vae.training.latest_checkpoint import LatestCheckpoint
from tem_vae.training.log_images import LogImages
from tem_vae.training.numerics import NumericsGuard
from tem_vae.training.path_fields import CONFIG_KEY
from tem_vae.training.terminal import progress_bar
from tem_vae.training.watch_updates import WatchUpdates
from tem_vae.training.watch_validation import WatchValidation


class ConfigInCheckpoint(Callback):
    """Stores the configuration as plain values, so that a checkpoint suffices to rebuild its model."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config.model_dump(mode="json")

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the configuration."""
        checkpoint[CONFIG_KEY] = self.config


class TrainingClock(Callback):
    """Measures training alone, in seconds of wall time: validation does not count.

    Attributes:
        seconds: So far, over all parts of a continued run.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start."""
        self._started = time.perf_counter()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Pause."""
        self._pause()

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Go on."""
        self._started = time.perf_counter()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop."""
        self._pause()

    def state_dict(self) -> dict[str, Any]:
        """The seconds so far."""
        running = time.perf_counter() - self._started if self._started else 0.0
        return {"seconds": self.seconds + running}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.seconds = state_dict["seconds"]

    def _pause(self) -> None:
        self.seconds += time.perf_counter() - self._started
        self._started = 0.0


def build_callbacks(
    config: TrainConfig, run_dir: Path, clock: TrainingClock, walks: WalkSource
) -> list[Callback]:
    """The callbacks of a training run.

    Args:
        config: The configuration.
        run_dir: Where checkpoints go.
        clock: Measures the seconds of training.
        walks: The training walks.
    """
    checkpoints = ModelCheckpoint(
        dirpath=run_dir / "checkpoints",
        filename="best",
        monitor="elbo/validation_elbo",
        mode="max",
        enable_version_counter=False,
    )
    latest = LatestCheckpoint(run_dir / "checkpoints" / "last.ckpt", config.trainer.checkpoint_interval)
    return [
        latest,
        clock,
        checkpoints,
        ConfigInCheckpoint(config),
        NumericsGuard(run_dir),
        LearningRateMonitor("step"),
        WatchUpdates(config.trainer.log_every_n_steps),
        WatchValidation(walks.percepts.n_classes, walks.worlds, config.seed),
        *([LogImages(config.logger.images_every)] if config.logger.kind == "wandb" else []),
        *progress_bar(),
    ]
