"""How dense codes of one step are where memories were made, and where a place is new."""

import math

import torch
from torch import Tensor

from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.geometry.precision import matmul
from tem_vae.model.walk_prior import WalkPrior


class Densities:
    """Log densities of codes of every step of walks, one step at a time.

    Args:
        prior: Whose memories and prototypes count; not its memory weights.
        whitened: Whitened coordinates of codes, (samples, batch, time, M).
    """

    def __init__(self, prior: WalkPrior, whitened: Tensor) -> None:
        self.prior = prior
        self.whitened = whitened
        prototypes = prior.emission.prototypes
        squared = pairwise_squared_distance(whitened, prototypes.whitened_center)
        self._kinds = self._log_normal(squared, prototypes.scale[0])

    def mixed(self, step: int, near: Tensor, log_null: Tensor) -> Tensor:
        """Log of e^`novel` times a factor, plus Σ_s n_s e^`there`, (batch, n, samples) for n rows of weights.

        Args:
            step: Of the codes.
            near: n_s of every earlier step s, (batch, n, step).
            log_null: Log of the factor, broadcasts with (batch, n).
        """
        novel = log_null.unsqueeze(-1) + self.novel(step).mT.unsqueeze(1)
        if step == 0:
            return novel
        there = self.there(step)
        largest = there.amax(dim=-1, keepdim=True)
        found = matmul(near, (there - largest).exp().permute(1, 2, 0))
        return torch.logaddexp(novel, found.log() + largest.permute(1, 2, 0))

    def novel(self, step: int) -> Tensor:
        """Log (e^b_0 p_0(z) + e^b Σ_s p(z; c_s, eps_m)/(t − 1)) of a new place, (samples, batch)."""
        prior = self.prior
        anywhere = prior.null_logit + (prior.emission.log_shares + self._kinds[:, :, step]).logsumexp(-1)
        count = prior.seen[:, :step].sum(dim=-1)
        own = self._own(step).masked_fill(~prior.seen[:, :step], -torch.inf)
        here = own.logsumexp(-1) + prior.background_logit - count.clamp_min(1).log()
        return torch.logaddexp(anywhere, here) if step else anywhere

    def there(self, step: int) -> Tensor:
        """Log p_s(z) at the place of every earlier step s, (samples, batch, step)."""
        emission = self.prior.emission
        kinds = self._kinds[:, :, step]
        largest = kinds.amax(dim=-1, keepdim=True)
        shares = emission.expected[:, :step].to(kinds)
        mixed = matmul((kinds - largest).exp().movedim(0, 1), shares.mT).movedim(1, 0)
        tiny = torch.finfo(mixed.dtype).tiny
        others = emission.log_other + mixed.clamp_min(tiny).log() + largest
        return torch.logaddexp(emission.log_own + self._own(step), others)

    def _own(self, step: int) -> Tensor:
        """Log p(z; c_s, eps_m) of every earlier step s, (samples, batch, step)."""
        centers = self.prior.components.whitened_center[:, :step]
        queries = self.whitened[:, :, step].movedim(0, 1)
        squared = pairwise_squared_distance(queries, centers).movedim(1, 0)
        return self._log_normal(squared, self.prior.components.scale[0, 0])

    def _log_normal(self, squared: Tensor, scale: Tensor) -> Tensor:
        """Log density at squared whitened distances from a center, in nats, of the shape of these."""
        factorization = self.prior.components.factorization
        constant = factorization.rank * (0.5 * math.log(2 * math.pi) + scale.log()) + factorization.log_volume
        return (-0.5 * squared / scale.square() - constant).to(self.whitened.dtype)
