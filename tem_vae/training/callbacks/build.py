"""Which callbacks a training run has."""

from lightning.pytorch.callbacks import Callback, LearningRateMonitor

from tem_vae.config.training import TrainConfig
from tem_vae.data import WalkSource
from tem_vae.runs.folder import CHOOSES_CHECKPOINT, RunFolder
from tem_vae.runs.terminal import progress_bar
from tem_vae.training.callbacks.checkpoints import BestCheckpoint, ConfigInCheckpoint, LatestCheckpoint
from tem_vae.training.callbacks.clock import TrainingClock
from tem_vae.training.callbacks.last_update import ValidateLastUpdate
from tem_vae.training.callbacks.numerics import NumericsGuard
from tem_vae.training.callbacks.updates import WatchUpdates
from tem_vae.training.callbacks.validation import WatchValidation


def build_callbacks(
    config: TrainConfig, folder: RunFolder, clock: TrainingClock, walks: WalkSource
) -> list[Callback]:
    """The callbacks of a training run.

    Args:
        config: The configuration.
        folder: Where checkpoints go.
        clock: Measures the seconds of training.
        walks: The training walks.
    """
    checkpoints = BestCheckpoint(
        dirpath=folder.checkpoints,
        filename=folder.best.stem,
        monitor=CHOOSES_CHECKPOINT,
        mode="max",
        enable_version_counter=False,
    )
    latest = LatestCheckpoint(folder.last, config.trainer.checkpoint_interval)
    return [
        latest,
        clock,
        checkpoints,
        ConfigInCheckpoint(config),
        NumericsGuard(folder),
        LearningRateMonitor("step"),
        WatchUpdates(config.trainer.log_every_n_steps),
        WatchValidation(walks, config.seed),
        ValidateLastUpdate(),
        *_wandb_callbacks(config),
        *progress_bar(),
    ]


def _wandb_callbacks(config: TrainConfig) -> list[Callback]:
    """What is drawn for wandb alone."""
    if config.logger.kind != "wandb":
        return []
    # Figures and wandb take seconds to load.
    from tem_vae.training.callbacks.histograms import LogHistograms
    from tem_vae.training.callbacks.images import LogImages

    return [LogHistograms(), LogImages(config.logger.images_every)]
