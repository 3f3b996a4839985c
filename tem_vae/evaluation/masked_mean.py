"""Means over the steps that count, right for uneven batches and over processes."""

import torch
from torch import Tensor
from torchmetrics import Metric


class MaskedMean(Metric):
    """The mean of values where a mask is True; NaN if that was nowhere.

    Example:
        >>> mean = MaskedMean()
        >>> mean.update(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([True, True, False]))
        >>> mean.compute()
        tensor(1.5000)
    """

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, values: Tensor, mask: Tensor) -> None:
        """Take in values and the mask of those that count, of one shape."""
        self.total += values[mask].float().sum()
        self.count += mask.sum()

    def compute(self) -> Tensor:
        """The mean so far."""
        return self.total / self.count
