"""Pseudometrics of restricted form, to compare the learned one with."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tem_vae.geometry import Pseudometric


def euclidean_metric(code_dim: int, tau: float) -> Pseudometric:
    """E = I_N, fixed: every direction of a code counts the same."""
    metric = Pseudometric(code_dim, code_dim, tau)
    nn.init.eye_(metric.weight)
    metric.weight.requires_grad_(False)
    return metric


def random_metric(code_dim: int, rank: int, tau: float) -> Pseudometric:
    """A projection on random orthonormal directions, fixed: codes must adapt to it."""
    metric = Pseudometric(code_dim, rank, tau)
    metric.weight.requires_grad_(False)
    return metric


def diagonal_metric(code_dim: int, tau: float, normalize: bool) -> Pseudometric:
    """E = diag(e), learned and positive, first I_N: every feature of a code has a weight, none is mixed.

    Args:
        code_dim: N, which is also the metric rank.
        tau: Tikhonov regulariser, in units of squared weights.
        normalize: Fix the gauge, ‖e‖ = √N.
    """
    metric = Pseudometric(code_dim, code_dim, tau, normalize)
    nn.init.eye_(metric.weight)
    parametrize.register_parametrization(metric, "weight", _PositiveDiagonal())
    return metric


class _PositiveDiagonal(nn.Module):
    """The diagonal by its logarithm, so that no weight ever reaches 0, where the rank would drop."""

    def forward(self, log_diagonal: Tensor) -> Tensor:
        return log_diagonal.exp().diag()

    def right_inverse(self, weight: Tensor) -> Tensor:
        return torch.log(weight.diagonal())
