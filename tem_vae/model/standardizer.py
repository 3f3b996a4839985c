"""Percepts as a researcher recorded them, and the standardised ones that a model works with."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Standardizer(nn.Module):
    """Shifts and scales percepts so that those of the training walks have mean 0 and deviation 1.

    A vector has a mean and a deviation for each feature, an image for each channel. What does not vary in the
    training walks has the deviation 1: it is only shifted. Before `fit` nothing is changed.

    Args:
        percept_shape: (features,), (rows, columns) or (channels, rows, columns).

    Attributes:
        mean: (features,), (1, 1) or (channels, 1, 1), in the unit of the percepts.
        deviation: Of the same shape, in the same unit.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, percept_shape: tuple[int, ...]) -> None:
        super().__init__()
        shape = percept_shape if len(percept_shape) == 1 else (*percept_shape[:-2], 1, 1)
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("deviation", torch.ones(shape))

    def forward(self, percepts: Tensor) -> Tensor:
        """Standardised percepts, (*, *percept_shape)."""
        return (percepts - self.mean) / self.deviation

    def undo(self, standardised: Tensor) -> Tensor:
        """Percepts in their own unit, (*, *percept_shape)."""
        return standardised * self.deviation + self.mean

    def log_scale(self, percept_shape: tuple[int, ...]) -> float:
        """The sum of ln deviation over all numbers of a percept, in nats.

        A log-density of standardised percepts less this is that of percepts in their own unit.
        """
        numbers = math.prod(percept_shape) // self.deviation.numel()
        return numbers * float(self.deviation.double().log().sum())

    @torch.no_grad()
    def fit(self, batches: Iterable[Tensor]) -> None:
        """Learn mean and deviation in one pass, batch by batch.

        Batches are pooled as Chan, Golub & LeVeque (1979, "Updating formulae and a pairwise algorithm for
        computing sample variances") do, in float64: no square of a number is subtracted from another.

        Args:
            batches: Percepts, each batch (steps, *percept_shape). Those with a NaN in them are left out.

        Raises:
            ValueError: There is no percept.
        """
        moments = _Moments(self.mean.shape)
        for batch in batches:
            seen = ~batch.isnan().flatten(1).any(dim=1)
            moments.add(self._rows(batch[seen]))
        if not moments.count:
            raise ValueError("there is no percept to standardise by: all of the training walks are missing")
        varies = moments.largest > moments.smallest
        deviation = (moments.squares / moments.count).sqrt()
        self.mean.copy_(moments.mean)
        self.deviation.copy_(torch.where(varies & (deviation > 0), deviation, 1))

    def _rows(self, percepts: Tensor) -> Tensor:
        """Numbers in float64 that share a mean in a column, (rows, *mean.shape)."""
        if len(self.mean.shape) == 1:
            return percepts.double()
        pixels = percepts.double().flatten(-2)
        return pixels.movedim(-1, 1).flatten(0, 1)[..., None, None]


class _Moments:
    """Of the rows so far: how many, their mean, the sum of squared differences from it, and the range."""

    def __init__(self, shape: torch.Size) -> None:
        self.count = 0
        self.mean = torch.zeros(shape, dtype=torch.float64)
        self.squares = torch.zeros(shape, dtype=torch.float64)
        self.smallest = torch.full(shape, math.inf, dtype=torch.float64)
        self.largest = torch.full(shape, -math.inf, dtype=torch.float64)

    def add(self, rows: Tensor) -> None:
        """Take in rows, (rows, *shape), in float64."""
        if not len(rows):
            return
        mean = rows.mean(dim=0)
        total = self.count + len(rows)
        difference = mean - self.mean
        self.squares += (rows - mean).square().sum(dim=0)
        self.squares += difference.square() * (self.count * len(rows) / total)
        self.mean += difference * (len(rows) / total)
        self.count = total
        self.smallest = torch.minimum(self.smallest, rows.amin(dim=0))
        self.largest = torch.maximum(self.largest, rows.amax(dim=0))
