"""The seconds of training alone."""

import time
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback


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
