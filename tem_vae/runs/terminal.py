"""What Lightning shows of a run, and what it is told of the processes around it."""

import logging
import math
import sys
import warnings

import lightning as L
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback, RichProgressBar, TQDMProgressBar

_log = logging.getLogger(__name__)

# The first that is known: without classes it is known where memory looks, and not what it names.
_ZERO_SHOT = ("prediction/zero_shot_accuracy", "prediction/retrieval_zero_shot_accuracy")


class ProgressLines(Callback):
    """Logs a line at every validation: a bar would spoil the log files of a cluster."""

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log the state of training."""
        scalars = trainer.callback_metrics
        known = [float(scalars[name]) for name in _ZERO_SHOT if not math.isnan(scalars[name])]
        _log.info(
            "update %d of %d: validation ELBO %.2f nats per percept%s",
            trainer.global_step,
            trainer.max_steps,
            scalars["elbo/validation_elbo"],
            f", zero-shot links {100 * known[0]:.1f} %" if known else "",
        )


def progress_bar() -> list[Callback]:
    """A progress bar where there is something to draw it on."""
    if sys.stdout.isatty():
        return [RichProgressBar()]
    return [TQDMProgressBar()] if _in_notebook() else [ProgressLines()]


def draws_bars() -> bool:
    """Whether `progress_bar` is one."""
    return sys.stdout.isatty() or _in_notebook()


def _in_notebook() -> bool:
    return "ipykernel" in sys.modules


def alone() -> ClusterEnvironment:
    """For the trainer of a single process: those that a cluster started beside it are runs of their own."""
    environment = LightningEnvironment()
    environment.set_global_rank(0)
    return environment


def quiet_lightning() -> None:
    """Silence what a user can do nothing about."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")
    warnings.filterwarnings("ignore", message=".*is smaller than the logging interval.*")
