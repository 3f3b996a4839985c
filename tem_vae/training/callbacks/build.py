"""Which callbacks a training run has."""

from pathlib import Path

from lightning.pytorch.callbacks import (
    Callback,
    LearningRateMonitor,
    ModelCheckpoint,
)

from tem_vae.config.training import TrainConfig
from tem_vae.data import WalkSource
from tem_vae.runs.terminal import progress_bar
from tem_vae.training.callbacks.checkpoints import ConfigInCheckpoint, LatestCheckpoint
from tem_vae.training.callbacks.clock import TrainingClock
from tem_vae.training.callbacks.images import LogImages
from tem_vae.training.callbacks.numerics import NumericsGuard
from tem_vae.training.callbacks.updates import WatchUpdates
from tem_vae.training.callbacks.validation import WatchValidation


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
        WatchValidation(walks, config.seed),
        *([LogImages(config.logger.images_every)] if config.logger.kind == "wandb" else []),
        *progress_bar(),
    ]
