"""Figures of the model while it trains, as images in wandb."""

import copy
import logging
import time

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import WandbLogger
from torch.utils.data import DataLoader

from tem_vae.data import UnknownTruthError, Walks
from tem_vae.data.held_out import WalkBatches
from tem_vae.report.gallery import GALLERY, Entry
from tem_vae.report.illustration import Illustration, rasterise
from tem_vae.report.subject import Subject
from tem_vae.training.module import TemVaeModule

_log = logging.getLogger(__name__)


class LogImages(Callback):
    """Logs figures of the first validation walk to wandb, with the seconds that they took.

    They are drawn in the first validation at or after every multiple of a number of updates, with torch's
    generator left as it was, so that a run is the same with and without them.

    Args:
        every: Updates from one set of figures to the next.

    Attributes:
        seconds: Spent on figures so far.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self.seconds = 0.0
        self._drawn = 0
        self._warned = False

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw and log, if it is time."""
        due = trainer.global_step // self.every
        if trainer.sanity_checking or not trainer.is_global_zero or due <= self._drawn:
            return
        self._drawn = due
        started = time.perf_counter()
        # Lightning validates in inference mode, whose tensors have no gradients; one figure needs them.
        with torch.inference_mode(False), torch.no_grad():
            subject = self._subject(trainer, pl_module)
            for entry in GALLERY:
                if entry.while_training:
                    self._try(trainer, subject, entry)
        self.seconds += time.perf_counter() - started
        for logger in trainer.loggers:
            logger.log_metrics({"figures/seconds": self.seconds}, trainer.global_step)

    def state_dict(self) -> dict[str, float]:
        """What a continued run goes on from."""
        return {"seconds": self.seconds, "drawn": self._drawn}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on from there."""
        self.seconds, self._drawn = state_dict["seconds"], int(state_dict["drawn"])

    @staticmethod
    def _subject(trainer: L.Trainer, pl_module: L.LightningModule) -> Subject:
        assert isinstance(pl_module, TemVaeModule)
        model = copy.deepcopy(pl_module.model).cpu().eval()
        loader: DataLoader[Walks] | None = trainer.val_dataloaders
        assert loader is not None
        batches = loader.dataset
        assert isinstance(batches, WalkBatches)
        return Subject(model, batches.source, [next(iter(loader))], batches.seed)

    def _try(self, trainer: L.Trainer, subject: Subject, entry: Entry) -> None:
        """Draw and log one figure; one that cannot be drawn is no reason to end a training run."""
        try:
            illustration = entry.illustrate(subject)
            self._log(trainer, illustration)
        except UnknownTruthError:
            return
        except Exception as error:
            if not self._warned:
                _log.warning("the figure %s cannot be drawn, training goes on: %s", entry.name, error)
            self._warned = True

    @staticmethod
    def _log(trainer: L.Trainer, illustration: Illustration) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(
                    f"figures/{illustration.name}",
                    [rasterise(illustration.figure)],
                    trainer.global_step,
                    caption=[illustration.caption],
                )
