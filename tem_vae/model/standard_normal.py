"""A prior without memory, to compare the memory prior with."""

import math

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood, NeighborhoodMixture


class StandardNormalPrior(nn.Module):
    """p(z_t | past) = p(z_t): a standard normal of embedded codes, E z ~ N(0, I_M), as in a plain VAE.

    In the terms of the geometry it is the neighborhood of the code 0 at scale √M (exactly so for tau -> 0,
    where the squared pseudodistance from 0 is then chi² with M degrees of freedom). All weight is on this
    one component, so the past, and with it path integration, has no say: every place is novel.

    Args:
        code_dim: N.
        rank: M, the metric rank.
    """

    null_center: Tensor

    def __init__(self, code_dim: int, rank: int) -> None:
        super().__init__()
        self.rank = rank
        self.forgetting = 0.0
        self.register_buffer("null_center", torch.zeros(code_dim), persistent=False)

    @property
    def null_scale(self) -> Tensor:
        """√M, that of the standard normal."""
        return torch.tensor(math.sqrt(self.rank))

    @property
    def memory_scale(self) -> Tensor:
        """The same; memories have no weight."""
        return self.null_scale

    def forward(
        self, codes: Tensor, log_weights: Tensor, factorization: Factorization
    ) -> NeighborhoodMixture:
        """The prior of every step.

        Args:
            codes: The reference codes, (batch, memories, N); they carry no weight.
            log_weights: As from `attend`, (batch, time, 1 + memories).
            factorization: Of the pseudometric in use.
        """
        memories = Neighborhood(codes, self.memory_scale, factorization, validate_args=False)
        null = Neighborhood(self.null_center, self.null_scale, factorization, validate_args=False)
        return NeighborhoodMixture(log_weights, memories, null, validate_args=False)

    def attend(self, locations: Tensor) -> Tensor:
        """All weight on the one component, for every step of a walk, (batch, time, 1 + time)."""
        return self.recall(locations, locations)

    def recall(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """The same for locations of which none is remembered, (*, time, 1 + memories)."""
        near = locations.new_zeros(*locations.shape[:-1], remembered.shape[-2])
        return self.weigh(near, past=torch.ones_like(near, dtype=torch.bool))

    def weigh(self, near: Tensor, past: Tensor) -> Tensor:
        """The same whatever is near or past, (*, time, memories) -> (*, time, 1 + memories)."""
        log_weights = near.new_full((*near.shape[:-1], 1 + near.shape[-1]), -torch.inf)
        log_weights[..., 0] = 0.0
        return log_weights
