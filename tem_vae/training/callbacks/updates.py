"""What is watched at updates: how fast they are, and how large the gradient of each part is."""

import resource
import sys
import time
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback

from tem_vae.data import Walks
from tem_vae.training.module import TemVaeModule

_BYTES_IN_MAXRSS = 1 if sys.platform == "darwin" else 1024
_PARTS = ("encoder", "metric", "integrator", "memory", "decoder")


class WatchUpdates(Callback):
    """Logs speed, memory and gradient norms at every logged update.

    Speed is that of updates alone: neither validation nor waiting for walks counts, the latter has a value of
    its own.

    Args:
        log_every: Updates from one logged value to the next.
    """

    def __init__(self, log_every: int) -> None:
        self.log_every = log_every
        self._began = 0.0
        self._ended: float | None = None
        self._clear()

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """What passes until the next update is no waiting for walks."""
        self._ended = None

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Walks, batch_idx: int
    ) -> None:
        """An update begins."""
        self._began = time.perf_counter()
        if self._ended is not None:
            self._waited += self._began - self._ended

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        """Log the gradient norm of each part, before clipping."""
        assert isinstance(pl_module, TemVaeModule)
        if (trainer.global_step + 1) % self.log_every == 0:
            norms = {part: gradient_norm(getattr(pl_module.model, part)) for part in _PARTS}
            pl_module.log_dict({f"optimizer/gradient_norm_{p}": n for p, n in norms.items() if n is not None})

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Walks, batch_idx: int
    ) -> None:
        """An update ends."""
        self._ended = time.perf_counter()
        self._updating += self._ended - self._began
        self._walk_steps += int(batch.mask.sum())
        if trainer.global_step % self.log_every == 0:
            pl_module.log_dict(self._describe_speed())
            self._clear()

    def _describe_speed(self) -> dict[str, float]:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_IN_MAXRSS
        return {
            "speed/walk_steps_per_second": self._walk_steps / self._updating,
            "speed/share_waiting_for_walks": self._waited / (self._waited + self._updating),
            "speed/peak_memory_gb": peak / 1e9,
        }

    def _clear(self) -> None:
        self._updating = self._waited = 0.0
        self._walk_steps = 0


def gradient_norm(part: torch.nn.Module) -> torch.Tensor | None:
    """The norm of the gradient of all parameters of a part; None if none of them has one."""
    gradients = [parameter.grad for parameter in part.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients) if gradients else None
