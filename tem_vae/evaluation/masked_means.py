"""Means over the steps that count, right for uneven batches and over processes."""

import torch
from torch import Tensor
from torchmetrics import Metric


class MaskedMeans(Metric):
    """The means of several named values, each where a mask of its own is True; NaN where that was nowhere.

    Args:
        names: Of the values.

    Example:
        >>> means = MaskedMeans(["score"])
        >>> means.update("score", torch.tensor([1.0, 2.0, 9.0]), torch.tensor([True, True, False]))
        >>> means.compute()
        {'score': tensor(1.5000)}
    """

    full_state_update = False
    totals: Tensor
    counts: Tensor

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names
        self.add_state("totals", torch.zeros(len(names)), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(len(names), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, name: str, values: Tensor, mask: Tensor | None = None) -> None:
        """Take in values and the mask of those that count, of one shape; without a mask all do."""
        counted = values if mask is None else values[mask]
        index = self.names.index(name)
        self.totals[index] += counted.float().sum()
        self.counts[index] += counted.numel()

    def compute(self) -> dict[str, Tensor]:
        """The means so far, by name."""
        return dict(zip(self.names, self.totals / self.counts, strict=True))
