"""Tensors computed when first needed, but as if they had been computed when their owner was made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Protocol, Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class GradientModes:
    """Whether gradients were recorded at one moment."""

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


class _Owner(Protocol):
    _modes: GradientModes


class lazy_tensor(cached_property[Tensor]):  # noqa: N801 (used like cached_property)
    """A cached property evaluated under the gradient modes of its owner's creation.

    What is first read under `torch.no_grad()`, by a metric, still carries gradients to the loss that reads it
    next.
    """

    def __init__(self, compute: Callable[[Any], Tensor]) -> None:
        @wraps(compute)
        def compute_in_modes(owner: _Owner) -> Tensor:
            with owner._modes.restored():
                return compute(owner)

        super().__init__(compute_in_modes)
