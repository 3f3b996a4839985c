"""Means over the steps that count, right for uneven batches and over processes."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.data import dim_zero_cat


class Estimates(NamedTuple):
    """What walks tell about several named values.

    Attributes:
        means: Over all steps that count, by name; NaN where no step counted.
        standard_errors: Of the means, by name; NaN where fewer than two walks had steps that count.
    """

    means: dict[str, Tensor]
    standard_errors: dict[str, Tensor]


class MaskedMeans(Metric):
    """The means of several named values, each over the steps where a mask of its own is True.

    Steps of one walk are not independent, so that standard errors are over walks: the mean
    r = Σ_w h_w / Σ_w c_w of sums h_w and counts c_w of n walks is a ratio estimator, whose variance is
    n/(n − 1) · Σ_w (h_w − r c_w)² / (Σ_w c_w)² (Cochran, Sampling Techniques, 1977, chapter 6).

    Args:
        names: Of the values.

    Example:
        >>> means = MaskedMeans(["score"])
        >>> means.update("score", torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[True, True, False]]))
        >>> means.compute().means
        {'score': tensor(1.5000)}
    """

    full_state_update = False

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names
        for name in names:
            self.add_state(f"{name}_sums", [], dist_reduce_fx="cat")
            self.add_state(f"{name}_counts", [], dist_reduce_fx="cat")

    def update(
        self, name: str, values: Tensor, mask: Tensor | None = None, wholes: Tensor | None = None
    ) -> None:
        """Take in values, (batch, time).

        Args:
            name: Of the value.
            values: At every step.
            mask: True at the steps that count; without a mask all do.
            wholes: If the value is a sum over a sum, such as a share of a variance: what is summed below.
        """
        counted = torch.ones_like(values, dtype=torch.bool) if mask is None else mask
        below = counted if wholes is None else torch.where(counted, wholes, 0)
        getattr(self, f"{name}_sums").append(torch.where(counted, values, 0).float().sum(dim=-1))
        getattr(self, f"{name}_counts").append(below.float().sum(dim=-1))

    def estimates(self) -> Estimates:
        """What `compute` gives; all NaN where nothing was taken in, of which torchmetrics would warn."""
        if self.update_called:
            found: Estimates = self.compute()
            return found
        nothing = dict.fromkeys(self.names, torch.tensor(torch.nan, device=self.device))
        return Estimates(nothing, nothing)

    def compute(self) -> Estimates:
        """The means so far with their standard errors."""
        estimates = {name: self._estimate(name) for name in self.names}
        return Estimates(
            {name: mean for name, (mean, _) in estimates.items()},
            {name: error for name, (_, error) in estimates.items()},
        )

    def _estimate(self, name: str) -> tuple[Tensor, Tensor]:
        if len(getattr(self, f"{name}_sums")) == 0:
            nothing = torch.tensor(torch.nan, device=self.device)
            return nothing, nothing
        sums = dim_zero_cat(getattr(self, f"{name}_sums"))
        counts = dim_zero_cat(getattr(self, f"{name}_counts"))
        mean = sums.sum() / counts.sum()
        walks = (counts > 0).sum()
        spread = (sums - mean * counts).square().sum() / counts.sum().square()
        return mean, torch.where(walks > 1, spread * walks / (walks - 1), torch.nan).sqrt()
