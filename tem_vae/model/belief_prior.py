"""The memory prior of every step where it is not sure where the walk is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.geometry import Neighborhood
from tem_vae.geometry.precision import working_dtype
from tem_vae.model.belief_rows import NearRows
from tem_vae.model.densities import Densities, Memories
from tem_vae.model.memory_rows import MemoryRows
from tem_vae.model.walk_prior import WalkPrior


@dataclass(frozen=True, eq=False)
class BeliefPrior(MemoryRows):
    r"""p(z_t | past), averaged over a belief about where the walk is.

    .. math:: p(z_t|past) = w_{t0}\,p_0(z_t) + \sum_{s<t} \left( n_{ts}\,p_s(z_t)
              + \frac{b_t}{t-1}\,N(z_t; c_s, \epsilon_m) \right)

    as in `WalkPrior`, whose weights are those at one location; here they are means over locations, weighted
    by what was believed before step t was perceived.

    Attributes:
        told: The prior if every recorded action happened; its memories are those of the belief.
        near: n_ts, 0 from the diagonal on.
        null_weight: w_t0, (batch, time).
    """

    told: WalkPrior
    near: NearRows
    null_weight: Tensor

    @property
    def components(self) -> Neighborhood:  # type: ignore[override]
        """Those of the told prior."""
        return self.told.components

    @property
    def null(self) -> Neighborhood:
        """That of the told prior."""
        return self.told.null

    @property
    def novelty(self) -> Tensor:
        """The weight of the null component and of the background, (batch, time)."""
        return self.null_weight + self._background()

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density in nats of codes z, (*samples, batch, time, N) -> (*samples, batch, time)."""
        return self.log_prob_whitened(self.components.factorization.whiten(z))

    def log_prob_whitened(self, w: Tensor) -> Tensor:
        """`log_prob` of codes given by their whitened coordinates, (*samples, batch, time, M)."""
        densities, memories = Densities(self.told), Memories.of(self.told)
        queries = w.reshape(-1, *w.shape[-3:]).permute(1, 2, 0, 3)
        steps = []
        for first, last in self.rows():
            near = self.near.between(first, last)
            for step in range(first, last):
                known, log_null = memories.beginning(step), self.null_weight[:, step].log()
                density = densities.at(queries[:, step], known, log_null)
                steps.append(density.log_numerator(near[:, step - first, None, :step]).squeeze(1))
        log_prob = torch.stack(steps, dim=-1).movedim(1, 0)
        return log_prob.reshape(w.shape[:-1]).to(working_dtype(w))

    def beginning(self, steps: int) -> "BeliefPrior":
        """Of the first steps of every walk."""
        return BeliefPrior(self.told.beginning(steps), self.near, self.null_weight[:, :steps])

    def weigh_rows(self, first: int, last: int) -> Tensor:
        """Log weights of steps first to last - 1 up to column last, (batch, last - first, 1 + last)."""
        seen = self.told.seen[:, None, :last]
        past = torch.ones(last - first, last, dtype=torch.bool, device=seen.device).tril(first - 1) & seen
        share = self._background()[:, first:last, None] / past.sum(dim=-1, keepdim=True).clamp_min(1)
        memories = self.near.between(first, last) + share * past
        return torch.cat([self.null_weight[:, first:last, None], memories], dim=-1).log()

    def _background(self) -> Tensor:
        """b_t, (batch, time)."""
        told = self.told
        remembered = told.seen.cumsum(dim=1) > told.seen
        ratio = (told.background_logit - told.null_logit).exp()
        return torch.where(remembered, self.null_weight * ratio, 0)
