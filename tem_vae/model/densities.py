"""How dense codes of one step are where memories were made, and where a place is new."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.geometry.precision import matmul
from tem_vae.model.walk_prior import WalkPrior


class Density(NamedTuple):
    r"""The numerator of p(z | past) at some codes, as a function of near weights n_s.

    .. math:: \text{novel} + \sum_s n_s\,\text{there}_s ,

    Novel and there are in units that keep them in the range of a float.

    Attributes:
        novel: Of a new place, (batch, *codes).
        there: Of every earlier step's place, (batch, step, *codes); 0 where nothing was seen.
        unit: Log of the unit, (batch, *codes).
    """

    novel: Tensor
    there: Tensor
    unit: Tensor

    def averaged(self, log_shares: Tensor) -> "Density":
        """The mean over codes, each with a factor, (batch, samples) -> (batch, 1)."""
        log_factors = self.unit + log_shares - math.log(log_shares.shape[-1])
        unit = log_factors.amax(dim=-1, keepdim=True)
        factors = (log_factors - unit).exp().unsqueeze(-1)
        novel = (self.novel.unsqueeze(1) @ factors).squeeze(1)
        return Density(novel, self.there @ factors, unit)

    def log_mixed(self, found: Tensor) -> Tensor:
        """Log of the whole, given Σ_s n_s there_s, (batch, n, *codes)."""
        return (self.novel.unsqueeze(1) + found).log() + self.unit.unsqueeze(1)


class Densities:
    """Log densities of codes of every step of walks, one step at a time.

    Args:
        prior: Whose memories and prototypes count; not its memory weights.
        whitened: Whitened coordinates of codes, (samples, batch, time, M).
    """

    def __init__(self, prior: WalkPrior, whitened: Tensor) -> None:
        self.prior = prior
        self._queries = whitened.permute(1, 2, 0, 3)
        prototypes = prior.emission.prototypes
        squared = pairwise_squared_distance(self._queries, prototypes.whitened_center)
        self._kinds = self._log_normal(squared, prototypes.scale[0])

    def at(self, step: int, log_null: Tensor) -> Density:
        """Of the samples of one step.

        Args:
            step: Of the codes.
            log_null: What a new place weighs, in nats, broadcasts with (batch).
        """
        prior, emission, kinds = self.prior, self.prior.emission, self._kinds[:, step]
        anywhere = (emission.log_shares.to(kinds) + kinds).logsumexp(dim=-1)
        if not step:
            novel = anywhere + log_null.unsqueeze(-1)
            return Density(torch.ones_like(novel), novel.new_zeros(len(novel), 0, novel.shape[-1]), novel)
        seen = prior.seen[:, :step]
        own = self._own(step).masked_fill(~seen.unsqueeze(1), -torch.inf)
        log_kinds = kinds.amax(dim=-1, keepdim=True)
        mixed = matmul((kinds - log_kinds).exp(), emission.expected[:, :step].mT.to(kinds))
        mixed = mixed.mul_(seen.unsqueeze(1))
        top = own.amax(dim=-1, keepdim=True).clamp_min(torch.finfo(own.dtype).min)
        own = (own - top).exp()
        here = own.sum(dim=-1).log() + top.squeeze(-1) - seen.sum(dim=-1, keepdim=True).clamp_min(1).log()
        background = prior.background_logit - prior.null_logit
        novel = torch.logaddexp(anywhere, here + background) + log_null.unsqueeze(-1)
        own_unit, kinds_unit = emission.log_own + top, emission.log_other + log_kinds
        unit = torch.maximum(novel.unsqueeze(-1), torch.maximum(own_unit, kinds_unit))
        there = own * (own_unit - unit).exp() + mixed * (kinds_unit - unit).exp()
        return Density((novel - unit.squeeze(-1)).exp(), there.mT, unit.squeeze(-1))

    def _own(self, step: int) -> Tensor:
        """Log p(z; c_s, eps_m) of every earlier step s, (batch, samples, step)."""
        centers = self.prior.components.whitened_center[:, :step]
        squared = pairwise_squared_distance(self._queries[:, step], centers)
        return self._log_normal(squared, self.prior.components.scale[0, 0])

    def _log_normal(self, squared: Tensor, scale: Tensor) -> Tensor:
        """Log density at squared whitened distances from a center, in nats, of the shape of these."""
        factorization = self.prior.components.factorization
        constant = factorization.rank * (0.5 * math.log(2 * math.pi) + scale.log()) + factorization.log_volume
        return (-0.5 * squared / scale.square() - constant).to(squared.dtype)
