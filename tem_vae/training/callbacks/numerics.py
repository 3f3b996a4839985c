"""Keeps what stopped a run: the batch and the weights of an update that was not finite."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from tem_vae.data import Walks
from tem_vae.runs.folder import RunFolder
from tem_vae.training.numerics import NonFiniteError


class NumericsGuard(Callback):
    """Keeps the batch and the weights of the update at which a run was stopped.

    Args:
        folder: They are written to ``non_finite.pt`` in it.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._batch: Walks | None = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Walks, batch_idx: int
    ) -> None:
        """Remember the batch."""
        self._batch = batch

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Save, and say where and what the run can be continued from."""
        if not isinstance(exception, NonFiniteError) or self._batch is None:
            return
        saved: dict[str, Any] = {
            "update": trainer.global_step,
            "batch": {
                "percepts": self._batch.percepts,
                "actions": self._batch.actions,
                "mask": self._batch.mask,
            },
            "state_dict": pl_module.state_dict(),
        }
        torch.save(saved, self.folder.non_finite)
        last = self.folder.last
        exception.add_note(
            f"The batch and the weights are in {self.folder.non_finite} (torch.load gives a dict).\n"
            f"The last good checkpoint is {last if last.exists() else 'none: it had not come to one yet'}.\n"
            "A lower optimizer.learning_rate, or a smaller trainer.gradient_clip_val, may avoid it."
        )
