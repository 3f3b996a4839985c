"""How dense the codes of one step are where memories were made, and where a place is new."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.geometry.precision import matmul
from tem_vae.model.walk_prior import WalkPrior


class Memories(NamedTuple):
    """What was remembered, without where.

    Attributes:
        whitened: Whitened coordinates of the codes, (batch, memories, M).
        expected: R_sj of `Emission`, (batch, memories, J).
        counts: How many percepts each stands for, (batch, memories); 0 of a missing one.
    """

    whitened: Tensor
    expected: Tensor
    counts: Tensor

    @classmethod
    def of(cls, prior: WalkPrior) -> "Memories":
        """Of every step of walks."""
        whitened = prior.components.whitened_center
        return cls(whitened, prior.emission.expected, prior.seen.to(whitened))

    def beginning(self, steps: int) -> "Memories":
        """The first ones."""
        return Memories(self.whitened[:, :steps], self.expected[:, :steps], self.counts[:, :steps])


class Density(NamedTuple):
    r"""The numerator of p(z | past) at some codes, as a function of near weights n_s.

    .. math:: \text{novel} + \sum_s n_s\,\text{there}_s ,

    Novel and there are in units that keep them in the range of a float.

    Attributes:
        novel: Of a new place, (batch, codes).
        there: Of the place of every memory, (batch, memories, codes); 0 where nothing was seen.
        unit: Log of the unit, (batch, codes).
    """

    novel: Tensor
    there: Tensor
    unit: Tensor

    def averaged(self, log_shares: Tensor) -> "Density":
        """The mean over codes, each with a factor, (batch, codes) -> one code."""
        log_factors = self.unit + log_shares - math.log(log_shares.shape[-1])
        unit = log_factors.amax(dim=-1, keepdim=True)
        factors = (log_factors - unit).exp().unsqueeze(-1)
        return Density((self.novel.unsqueeze(1) @ factors).squeeze(1), self.there @ factors, unit)

    def log_numerator(self, near: Tensor) -> Tensor:
        """Its logarithm for rows of near weights, (batch, n, memories) -> (batch, n, codes)."""
        found = matmul(near, self.there.to(near.dtype))
        return (self.novel.unsqueeze(1) + found).log() + self.unit.unsqueeze(1)


class Densities:
    """Log densities of codes, given what was remembered before.

    Args:
        prior: Whose parameters count; not its memories.
    """

    def __init__(self, prior: WalkPrior) -> None:
        self.prior = prior

    def at(self, queries: Tensor, memories: Memories, log_null: Tensor) -> Density:
        """Of some codes of one step.

        Args:
            queries: Their whitened coordinates, (batch, codes, M).
            memories: Those of all earlier steps.
            log_null: What a new place weighs, in nats, broadcasts with (batch).
        """
        emission = self.prior.emission
        kinds = self._kinds(queries)
        anywhere = (emission.log_shares.to(kinds) + kinds).logsumexp(dim=-1)
        if not memories.counts.shape[1]:
            novel = anywhere + log_null.unsqueeze(-1)
            return Density(torch.ones_like(novel), novel.new_zeros(len(novel), 0, novel.shape[-1]), novel)
        counts = memories.counts.to(kinds).unsqueeze(1)
        own = self._own(queries, memories.whitened).masked_fill(counts == 0, -torch.inf)
        top = own.amax(dim=-1, keepdim=True).clamp_min(torch.finfo(own.dtype).min)
        own = (own - top).exp() * counts
        here = own.sum(dim=-1).log() + top.squeeze(-1) - counts.sum(dim=-1).clamp_min(1).log()
        background = self.prior.background_logit - self.prior.null_logit
        novel = torch.logaddexp(anywhere, here + background) + log_null.unsqueeze(-1)
        log_kinds = kinds.amax(dim=-1, keepdim=True)
        mixed = matmul((kinds - log_kinds).exp(), memories.expected.mT.to(kinds)) * counts
        own_unit, kinds_unit = emission.log_own + top, emission.log_other + log_kinds
        unit = torch.maximum(novel.unsqueeze(-1), torch.maximum(own_unit, kinds_unit))
        there = own * (own_unit - unit).exp() + mixed * (kinds_unit - unit).exp()
        return Density((novel - unit.squeeze(-1)).exp(), there.mT, unit.squeeze(-1))

    def _kinds(self, queries: Tensor) -> Tensor:
        """Log N_j(z) of every prototype j, (batch, codes, J)."""
        prototypes = self.prior.emission.prototypes
        squared = pairwise_squared_distance(queries, prototypes.whitened_center)
        return self._log_normal(squared, prototypes.scale[0])

    def _own(self, queries: Tensor, whitened: Tensor) -> Tensor:
        """Log p(z; c_s, eps_m) of every memory s, (batch, codes, memories)."""
        squared = pairwise_squared_distance(queries, whitened)
        return self._log_normal(squared, self.prior.components.scale[0, 0])

    def _log_normal(self, squared: Tensor, scale: Tensor) -> Tensor:
        """Log density at squared whitened distances from a center, in nats, of the shape of these."""
        factorization = self.prior.components.factorization
        constant = factorization.rank * (0.5 * math.log(2 * math.pi) + scale.log()) + factorization.log_volume
        return (-0.5 * squared / scale.square() - constant).to(squared.dtype)
