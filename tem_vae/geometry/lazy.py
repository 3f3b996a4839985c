"""Pieces computed when first needed, but as if they had been computed when their owner was made."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import torch


@dataclass(frozen=True)
class GradientModes:
    """The gradient modes at one moment.

    A piece that is first read under `torch.no_grad()`, by a metric say, and then kept must still carry
    gradients to the loss that reads it next.
    """

    grad_enabled: bool
    inference: bool

    @classmethod
    def current(cls) -> Self:
        """The modes now in force."""
        return cls(torch.is_grad_enabled(), torch.is_inference_mode_enabled())

    @contextmanager
    def restored(self) -> Iterator[None]:
        """A context in which these modes are in force again."""
        with torch.inference_mode(self.inference), torch.set_grad_enabled(self.grad_enabled):
            yield
