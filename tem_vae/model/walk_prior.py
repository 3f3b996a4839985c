"""The memory prior of every step of a walk, without an array of all pairs of steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry import Neighborhood
from tem_vae.geometry.euclidean import quadratic_keys, quadratic_queries
from tem_vae.geometry.precision import matmul, matrix_dtype, smallest_share, working_dtype
from tem_vae.model.causal_attention import causal_attention
from tem_vae.model.kernel_sums import KernelWeights, log_kernel_sums
from tem_vae.model.memory_rows import PAIRS_AT_ONCE, MemoryRows
from tem_vae.model.nearness import Nearness
from tem_vae.model.prototypes import Emission

# Beyond this, dot products of codes are summed in float64: float32 might err by more than 1e-3 nats.
_LARGEST_LOGIT = 2.0**13


class _Kernels(NamedTuple):
    """e^k_j as e^(largest k) times shares of it, at most 1; the largest k counts as a constant.

    Attributes:
        shares: (samples, batch, time, J).
        largest: (samples, batch, time).
    """

    shares: Tensor
    largest: Tensor

    @classmethod
    def exp(cls, logits: Tensor, offset: Tensor) -> "_Kernels":
        """Of k_j + o.

        Args:
            logits: k_j, (samples, batch, time, J).
            offset: o, (samples, batch, time).
        """
        largest = logits.detach().amax(dim=-1, keepdim=True)
        shares = (logits - largest).clamp_min(smallest_share(logits.dtype)).exp()
        return cls(shares, largest.squeeze(-1) + offset)

    @property
    def later(self) -> "_Kernels":
        """Of every step but the first."""
        return _Kernels(self.shares[..., 1:, :], self.largest[..., 1:])

    def log_mixed(self, weights: Tensor) -> Tensor:
        """Log Σ_j weights_j e^k_j, (samples, batch, time).

        Args:
            weights: Broadcast with (batch, time, J).
        """
        mixed = (self.shares * weights).sum(dim=-1)
        return mixed.clamp_min(torch.finfo(mixed.dtype).tiny).log() + self.largest


def log_memory_weights(near: Tensor, count: Tensor, background: Tensor, null: Tensor) -> Tensor:
    """Log memory weights, (*, time, 1 + memories), the null component first.

    Args:
        near: Logits of having been made near the location, at most 0, (*, time, memories). A memory of −inf
            keeps its share of the background.
        count: How often something was remembered as each memory, broadcasts with near; 0 where a step may
            not remember it.
        background: Logit that all memories share evenly, in nats.
        null: Logit of the null component, in nats.
    """
    share = background - count.sum(dim=-1, keepdim=True).clamp_min(1).log()
    logits = torch.logaddexp(near, share.to(near.dtype)) + count.log().to(near.dtype)
    return torch.cat([null.expand(*logits.shape[:-1], 1).to(near.dtype), logits], dim=-1).log_softmax(dim=-1)


def novelty(log_null: Tensor, remembered: Tensor, background: Tensor, null: Tensor) -> Tensor:
    """The probability that a place is new: the weight of the null component and of the background, (*).

    Args:
        log_null: Log weight of the null component, (*).
        remembered: Whether anything was remembered before, (*).
        background: Logit that all memories share evenly, in nats.
        null: Logit of the null component, in nats.
    """
    share = torch.where(remembered, (background - null).exp(), 0)
    return (log_null.exp() * (1 + share)).clamp_max(1)


@dataclass(frozen=True, eq=False)
class WalkPrior(MemoryRows):
    r"""p(z_t | past) of every step t of walks, batch shape (batch, time).

    .. math:: p(z_t|past) \propto e^{b_0} p_0(z_t) + \sum_{s<t} \left(
              e^{L_{ts}} p_s(z_t) + \frac{e^b}{t-1} N(z_t; c_s, \epsilon_m) \right)

    with L the nearness, p_0 what a novel place may show and p_s what the place of memory s may, see
    `Emission`. Step t never sees itself or a later step. A step s that was not seen is left out of
    the sum, and t − 1 counts the seen ones only. The log density needs one pass of causal attention over
    dot products; everything else goes over the walk a few rows at a time. Memory grows with
    time, not with its square, except for `log_weights`, which spells all weights out.

    Attributes:
        near: L.
        background_logit: b.
        null_logit: b_0, with all that belongs to it.
        components: The neighborhoods of what was perceived at each step, of one scale, batch shape
            (batch, time).
        emission: What may be perceived where something was remembered, and at a novel place.
        seen: False at the steps that nobody remembers, since their percept is missing, (batch, time).
    """

    near: Nearness
    background_logit: Tensor
    null_logit: Tensor
    components: Neighborhood
    emission: Emission
    seen: Tensor

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density in nats of codes z, (*samples, batch, time, N) -> (*samples, batch, time).

        Raises:
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        return self.log_prob_whitened(self.components.factorization.whiten(z))

    def log_prob_whitened(self, w: Tensor) -> Tensor:
        """`log_prob` of codes given by their whitened coordinates, (*samples, batch, time, M).

        A sample z = c + eps beta E†u has w(z) = w(c) + eps u. Training can do with float32; without gradients
        all is in float64.

        Raises:
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        if not torch.is_grad_enabled():
            return self.log_probs_whitened(w, [self.near])[0]
        rank, log_volume = self.components.factorization.rank, self.components.factorization.log_volume
        prototypes = self.emission.prototypes
        # What all steps share is in float64: its rounding would be the same in all.
        exact = log_volume.dtype
        scale, prototype_scale = self.components.scale[0, 0].to(exact), prototypes.scale[0].to(exact)
        normaliser = -0.5 * rank * math.log(2 * math.pi) - rank * prototype_scale.log() - log_volume
        # Whitened coordinates relative to the middle of the prototypes, in units of the scale of a memory.
        origin = prototypes.whitened_center.mean(dim=0)
        centers = (self.components.whitened_center - origin) / scale
        queries = (w.reshape(-1, *w.shape[-3:]) - origin) / scale
        squared = queries.square().sum(dim=-1)
        kernels = self._prototype_kernels(queries, squared, (prototypes.whitened_center - origin) / scale)
        novel = self.null_logit + kernels.log_mixed(self.emission.log_shares.exp())
        # A memory's density beside that of a prototype, where both are highest.
        peak = rank * (prototype_scale / scale).log()
        remembered, total = self._remembered(queries, centers, peak - 0.5 * squared, kernels)
        first, later = novel[..., :1] - self.null_logit, torch.logaddexp(remembered, novel[..., 1:]) - total
        log_prob = torch.cat([first, later], dim=-1) + normaliser
        return log_prob.reshape(w.shape[:-1]).to(working_dtype(w, self.components.center))

    @torch.no_grad()
    def log_probs_whitened(self, w: Tensor, nears: Sequence[Nearness]) -> list[Tensor]:
        """`log_prob_whitened` in one pass, had memories been made as near as each of these says.

        Args:
            w: Whitened coordinates, (*samples, batch, time, M).
            nears: Of the same steps.

        Raises:
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        factorization, prototypes = self.components.factorization, self.emission.prototypes
        log_volume, rank = factorization.log_volume, factorization.rank
        exact = log_volume.dtype
        nears = [Nearness(*(part.to(exact) for part in near)) for near in nears]
        scale, prototype_scale = self.components.scale[0, 0].to(exact), prototypes.scale.to(exact)
        origin = prototypes.whitened_center.mean(dim=0).to(exact)
        centers = (self.components.whitened_center - origin) / scale
        novel = (prototypes.whitened_center - origin) / scale
        ratio = scale / prototype_scale
        novel = quadratic_keys(novel, -0.5 * ratio.square(), rank * ratio.log()).expand(len(centers), -1, -1)
        half = centers.new_tensor(-0.5).expand(centers.shape[:2])
        keys = torch.cat([novel, quadratic_keys(centers, half, torch.zeros_like(half))], dim=1)
        queries = quadratic_queries((w.reshape(-1, *w.shape[-3:]) - origin) / scale)
        chunks = self.rows(at_once=max(1, PAIRS_AT_ONCE // len(queries)))
        sums = log_kernel_sums(queries, keys, lambda *rows: self._weigh_kernels(nears, *rows), chunks)
        normaliser = rank * (0.5 * math.log(2 * math.pi) + scale.log()) + log_volume
        return list((sums - normaliser).reshape(len(nears), *w.shape[:-1]).to(working_dtype(w)))

    def _weigh_kernels(self, nears: Sequence[Nearness], first: int, last: int) -> KernelWeights:
        """Of prototypes, and then of memories up to step last - 1, at steps first to last - 1."""
        seen, novel = self.seen[:, :last], self.emission.log_shares.exp()
        future = torch.ones(last - first, last, dtype=torch.bool, device=seen.device).triu(first)
        hidden = ~seen.unsqueeze(1) | future
        count = (seen.cumsum(dim=1) - seen.long())[:, first:, None]
        background = torch.where(count > 0, self.background_logit.to(nears[0].keys), -torch.inf)
        unit = torch.maximum(background, self.null_logit)
        background, null = (background - unit).exp(), (self.null_logit - unit).exp()
        own, other = self.emission.log_own.exp(), self.emission.log_other.exp()
        weights = unit.new_empty(*unit.shape[:2], len(nears), len(novel) + last)
        for near, into in zip(nears, weights.unbind(2), strict=True):
            logits = near.rows(first, last).sub_(unit).clamp_min_(smallest_share(unit.dtype))
            there = logits.exp_().masked_fill_(hidden, 0)
            total = there.sum(dim=-1, keepdim=True) + background + null
            prototypes = null * novel + other * matmul(there, self.emission.expected[:, :last])
            into[..., : len(novel)] = prototypes / total
            share = background / count.clamp_min(1) / total
            torch.add(there.mul_(own / total), share, out=into[..., len(novel) :])
        return KernelWeights(weights, hidden)

    def _prototype_kernels(self, queries: Tensor, squared: Tensor, centers: Tensor) -> "_Kernels":
        """e^{−½‖w_t − w(n_j)‖²/eps_0²} of every step and prototype.

        Args:
            queries: w_t in units of eps_m, (samples, batch, time, M).
            squared: Their squared norms, (samples, batch, time).
            centers: w(n_j) in units of eps_m, (J, M).
        """
        ratio = (self.components.scale[0, 0] / self.emission.prototypes.scale[0]).square()
        half = 0.5 * ratio * centers.square().sum(dim=-1)
        return _Kernels.exp(matmul(queries, (ratio * centers).mT) - half, -0.5 * ratio * squared)

    def _remembered(
        self, queries: Tensor, centers: Tensor, offset: Tensor, kernels: "_Kernels"
    ) -> tuple[Tensor, Tensor]:
        """Of every step but the first: the memories' part of the density, and the sum of all weights.

        Args:
            queries: (samples, batch, time, M).
            centers: (batch, time, M).
            offset: What a step adds to its products with all centers, (samples, batch, time).
            kernels: Of the prototypes at every step.
        """
        half = -0.5 * centers.square().sum(dim=-1, keepdim=True)
        factors = [
            self.near.queries,
            self.near.keys,
            torch.cat([queries, torch.ones_like(queries[..., :1])], dim=-1),
            torch.cat([centers, half], dim=-1),
            self.emission.expected,
        ]
        dtype = _summation_dtype(*factors[:4])
        found = causal_attention(*(factor.to(dtype) for factor in factors), seen=self.seen)
        near = self.near.offset.expand(centers.shape[:2])[:, 1:]
        offset, count = offset[..., 1:], self.seen[:, :-1].cumsum(dim=1)
        log_count = count.clamp_min(1).to(centers).log()
        here = torch.logaddexp(
            self.emission.log_own + found.both + offset,
            self.emission.log_other + found.first + kernels.later.log_mixed(found.mean),
        )
        remembered = torch.logaddexp(here + near, found.second + offset + self.background_logit - log_count)
        background = torch.where(count > 0, self.background_logit, -torch.inf)
        total = torch.logaddexp(torch.logaddexp(found.first + near, background), self.null_logit)
        return remembered, total

    @property
    def null(self) -> Neighborhood:
        """That of the emission."""
        return self.emission.null

    @property
    def novelty(self) -> Tensor:
        """The weight of the null component and of the background, (batch, time)."""
        remembered = self.seen.cumsum(dim=1) > self.seen
        return novelty(self.log_null, remembered, self.background_logit, self.null_logit)

    def beginning(self, steps: int) -> "WalkPrior":
        """Of the first steps of every walk: no step depends on a later one."""
        return WalkPrior(
            self.near.beginning(steps),
            self.background_logit,
            self.null_logit,
            self.first_components(steps),
            self.emission.beginning(steps),
            self.seen[:, :steps],
        )

    def weigh_rows(self, first: int, last: int) -> Tensor:
        """Log weights of steps first to last - 1 up to column last, (batch, last - first, 1 + last)."""
        near = self.near.rows(first, last)
        past = torch.ones(near.shape[1:], device=near.device, dtype=near.dtype).tril(first - 1)
        count = past * self.seen[:, None, :last]
        return log_memory_weights(near, count, self.background_logit, self.null_logit)


def _summation_dtype(*factors: Tensor) -> torch.dtype:
    """Of the dot products of codes: float32 unless it is too narrow for products as large as these."""
    dtype = working_dtype(*factors)
    queries, keys = (factor.detach().abs().flatten(0, -2) for factor in factors[2:])
    if dtype == torch.float64 or not len(keys):
        return dtype
    largest = (queries.amax(dim=0) * keys.amax(dim=0)).sum()
    return matrix_dtype(largest.device) if largest.item() > _LARGEST_LOGIT else dtype
