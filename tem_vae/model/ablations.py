"""Parts of a model that are worse on purpose, to compare the real ones with."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tem_vae.geometry import Factorization, Neighborhood, Pseudometric
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


class StandardNormalPrior(nn.Module):
    """p(z_t | past) = p(z_t): a standard normal of embedded codes, E z ~ N(0, I_M), as in a plain VAE.

    In the terms of the geometry it is the neighborhood of the code 0 at scale √M (exactly so for tau -> 0,
    where the squared pseudodistance from 0 is then chi² with M degrees of freedom). All weight is on this
    one component, so the past, and with it path integration, has no say: every place is novel.

    Args:
        code_dim: N.
        rank: M, the metric rank.

    Attributes:
        forgetting: Of no effect; there is nothing to forget.
    """

    center: Tensor
    forgetting: float = 0.0

    def __init__(self, code_dim: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.register_buffer("center", torch.zeros(code_dim), persistent=False)

    @property
    def memory_scale(self) -> Tensor:
        """√M, that of the standard normal; memories have no weight."""
        return torch.tensor(math.sqrt(self.rank))

    @property
    def precision(self) -> Tensor:
        """0: places are not told apart."""
        return torch.tensor(0.0)

    def forward(
        self, locations: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor
    ) -> "MemorylessPrior":
        """The same for every step of walks, codes of shape (batch, time, N)."""
        return MemorylessPrior(self.null(factorization).expand(codes.shape[:-1]))

    def at_places(
        self, places: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor
    ) -> "MemorylessPrior":
        """The same: to know places is of no use without memories."""
        return self.forward(places, codes, factorization, seen)

    def nearness(self, products: Tensor) -> Tensor:
        """0: nothing is remembered, (*)."""
        return torch.zeros_like(products)

    def log_weights_at(self, locations: Tensor, remembered: Tensor, counts: Tensor) -> Tensor:
        """All weight on the one component, (*, time, 1 + memories)."""
        return _all_on_the_first(locations.new_empty(*locations.shape[:-1], 1 + remembered.shape[-2]))

    def null(self, factorization: Factorization) -> Neighborhood:
        """The one neighborhood, batch shape ()."""
        return Neighborhood(self.center, self.memory_scale, factorization, validate_args=False)

    def novelty(self, log_null: Tensor, counts: Tensor) -> Tensor:
        """1: nothing is ever recognised."""
        return torch.ones_like(log_null)

    def scalars(self) -> dict[str, Tensor]:
        """None: nothing of it is learned."""
        return {}


@dataclass(frozen=True, eq=False)
class MemorylessPrior:
    """A prior of every step that no step has a say in.

    Attributes:
        component: The one neighborhood, batch shape (batch, time).
    """

    component: Neighborhood

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density in nats of codes, (*samples, batch, time, N) -> (*samples, batch, time)."""
        return self.component.log_prob(z)

    def log_prob_whitened(self, w: Tensor) -> Tensor:
        """`log_prob` of codes given by their whitened coordinates, (*samples, batch, time, M)."""
        u = (w - self.component.whitened_center) / self.component.scale.unsqueeze(-1)
        return self.component.log_prob(w, u=u)

    @property
    def mode(self) -> Tensor:
        """The center, (batch, time, N)."""
        return self.component.center

    @property
    def novelty(self) -> Tensor:
        """1, (batch, time)."""
        return torch.ones_like(self.component.scale)

    @property
    def log_weights(self) -> Tensor:
        """All weight on the one component, (batch, time, 1 + time)."""
        batch, time = self.component.batch_shape
        return _all_on_the_first(self.component.scale.new_empty(batch, time, 1 + time))

    @property
    def heaviest(self) -> Tensor:
        """The first of memories that all have no weight, (batch, time)."""
        return torch.zeros_like(self.component.scale, dtype=torch.long)

    def weigh(self, values: Tensor) -> Tensor:
        """0: no memory has any weight, (batch, time, D)."""
        return torch.zeros_like(values, dtype=self.component.scale.dtype)

    def beginning(self, steps: int) -> "MemorylessPrior":
        """Of the first steps of every walk."""
        null = self.component
        center, scale = null.center[:, :steps], null.scale[:, :steps]
        return MemorylessPrior(Neighborhood(center, scale, null.factorization, validate_args=False))


def _all_on_the_first(log_weights: Tensor) -> Tensor:
    """The first of the last axis has all the weight; overwrites its argument."""
    log_weights.fill_(-torch.inf)[..., 0] = 0.0
    return log_weights


class LeakyTemVae(TemVae):
    """Its decoder reads all of z, also the component in ker E.

    A posterior sample has that component of its own percept's code, unblurred, and the KL between
    neighborhoods, taken on R^N / ker E, does not charge for it. What it carries reaches the decoder for
    nothing: the reported bound is no bound on log p(x_1..x_T | actions).
    """

    def embed(self, z: Tensor, embedding: Tensor) -> Tensor:
        """All of z, (*, N)."""
        return z
