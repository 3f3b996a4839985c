"""Parts of a model that are worse on purpose, to compare the real ones with."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tem_vae.geometry import Pseudometric
from tem_vae.model.memory import NeighborhoodMemory
from tem_vae.model.tem_vae import TemVae


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


class StandardNormalPrior(NeighborhoodMemory):
    """p(z_t | past) = p(z_t): a standard normal of embedded codes, E z ~ N(0, I_M), as in a plain VAE.

    In the terms of the geometry it is the neighborhood of the code 0 at scale √M (exactly so for tau -> 0,
    where the squared pseudodistance from 0 is then chi² with M degrees of freedom). All weight is on this
    one component, so the past, and with it path integration, has no say: every place is novel.

    Args:
        code_dim: N.
        rank: M, the metric rank.
    """

    def __init__(self, code_dim: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.register_buffer("null_center", torch.zeros(code_dim), persistent=False)

    @property
    def null_scale(self) -> Tensor:
        """√M, that of the standard normal."""
        return torch.tensor(math.sqrt(self.rank))

    @property
    def memory_scale(self) -> Tensor:
        """The same; memories have no weight."""
        return self.null_scale

    def log_weights(self, locations: Tensor) -> Tensor:
        """All weight on the one component, for every step of a walk, (batch, time, 1 + time)."""
        return self.log_weights_at(locations, locations)

    def log_weights_at(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """The same for locations of which none is remembered, (*, time, 1 + memories)."""
        near = locations.new_zeros(*locations.shape[:-1], remembered.shape[-2])
        return self.normalize(near, past=torch.ones_like(near, dtype=torch.bool))

    def normalize(self, near: Tensor, past: Tensor) -> Tensor:
        """The same whatever is near or past, (*, time, memories) -> (*, time, 1 + memories)."""
        log_weights = near.new_full((*near.shape[:-1], 1 + near.shape[-1]), -torch.inf)
        log_weights[..., 0] = 0.0
        return log_weights

    def scalars(self) -> dict[str, Tensor]:
        """None: nothing of it is learned."""
        return {}


class LeakyTemVae(TemVae):
    """Its decoder reads all of z, also the component in ker E.

    A posterior sample has that component of its own percept's code, unblurred, and the KL between
    neighborhoods, taken on R^N / ker E, does not charge for it. What it carries reaches the decoder for
    nothing: the reported bound is no bound on log p(x_1..x_T | actions).
    """

    def embed(self, z: Tensor, embedding: Tensor) -> Tensor:
        """All of z, (*, N)."""
        return z
