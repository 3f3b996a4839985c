"""What comes after the last update of a run."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback


class ValidateLastUpdate(Callback):
    """Has the last update validated, whatever the interval: else the end of a run could not be its best.

    Lightning validates where it is asked to stop.
    """

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Ask Lightning to stop once there is nothing left to do."""
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True
