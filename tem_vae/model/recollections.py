"""What an observer with doubts remembers: codes that all of its hypotheses share, bounded by merging."""

import torch
from torch import Tensor

from tem_vae.geometry import Factorization, Neighborhood, NeighborhoodMixture
from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.model.densities import Densities, Memories
from tem_vae.model.hypotheses import Hypotheses, Weights
from tem_vae.model.parts import Memory
from tem_vae.model.remembered import SHARE_MERGED, closest_pairs
from tem_vae.model.walk_prior import WalkPrior


class Recollections:
    """The codes of all percepts so far, the older first; each hypothesis knows where it was at each of them.

    With a capacity room is made by merging memories that are close, as in `Remembered`; how close two are in
    location is the mean over hypotheses by their weights. A merged memory has the mean code of what it stands
    for, and of the two locations, by every hypothesis, that of the memory that stood for more.

    Args:
        memory: The memory of the model.
        factorization: Of the pseudometric in use.
        capacity: The most memories to keep; None to keep all.
        codes: For shape and dtype, (batch, N).
        locations: For shape and dtype, (batch, G).

    Raises:
        ValueError: The memory has no weights, and so cannot say where a walk may be.
    """

    def __init__(
        self,
        memory: Memory,
        factorization: Factorization,
        capacity: int | None,
        codes: Tensor,
        locations: Tensor,
    ) -> None:
        self.memory, self.factorization, self.capacity = memory, factorization, capacity
        self._elsewhere = locations.unsqueeze(1)
        self.codes = codes.unsqueeze(1)[:, :0]
        self._prior = self._remember(codes, torch.ones_like(codes[:, 0], dtype=torch.bool))
        self.memories = Memories.of(self._prior).beginning(0)
        self.densities = Densities(self._prior)

    @property
    def weights(self) -> Weights:
        """The logits of memory weights that are no nearness."""
        return Weights(self._prior.background_logit, self._prior.null_logit)

    def _remember(self, codes: Tensor, seen: Tensor) -> WalkPrior:
        """The prior of walks of one step."""
        prior = self.memory(self._elsewhere, codes.unsqueeze(1), self.factorization, seen.unsqueeze(1))
        if not isinstance(prior, WalkPrior):
            raise ValueError(  # noqa: TRY004  nobody gave it
                "a belief weighs hypotheses by their memories, and this model has no memory"
            )
        return prior

    def append(self, codes: Tensor, seen: Tensor) -> None:
        """Remember a code of each walk, (batch, N), where it was seen, (batch)."""
        newest = Memories.of(self._remember(codes, seen))
        self.codes = torch.cat([self.codes, codes.unsqueeze(1)], dim=1)
        both = zip(self.memories, newest, strict=True)
        self.memories = Memories(*(torch.cat(pair, dim=1) for pair in both))

    def weigh(self, near: Tensor, null_weight: Tensor) -> Tensor:
        """Memory weights, the null component first, (batch, 1 + memories).

        Args:
            near: n_s of every memory, as `Expected` has it, (batch, memories).
            null_weight: Of the null component, (batch).
        """
        counts, weights = self.memories.counts, self.weights
        total = counts.sum(dim=-1, keepdim=True)
        share = (weights.background - weights.null).exp() / total.clamp_min(1)
        null = null_weight.unsqueeze(-1).to(near.dtype)
        return torch.cat([null, near + null * share * counts], dim=-1)

    def mode(self, weights: Tensor) -> Tensor:
        """A code of high density where memories have weights, (batch, 1 + memories) -> (batch, N)."""
        components = Neighborhood(self.codes, self.memory.memory_scale, self.factorization, False)
        null = self.memory.null(self.factorization)
        mixture = NeighborhoodMixture(weights.log().unsqueeze(1), components, null, validate_args=False)
        return mixture.mode.squeeze(1)

    def make_room(self, hypotheses: Hypotheses) -> None:
        """Merge memories if there are more than there may be."""
        if self.capacity is None or self.codes.shape[1] <= self.capacity:
            return
        pairs = max(1, int(SHARE_MERGED * self.capacity))
        cost = self._cost(hypotheses.overlaps())
        kept, codes, memories = [], [], []
        for walk in range(len(cost)):
            younger, older = closest_pairs(cost[walk], pairs).unbind(-1)
            counts = self.memories.counts[walk]
            stay = torch.ones_like(counts, dtype=torch.bool)
            stay[younger] = False
            columns = torch.arange(len(counts), device=counts.device)
            columns[older] = torch.where(counts[younger] > counts[older], younger, older)
            kept.append(columns[stay])
            mean = torch.eye(len(counts), dtype=counts.dtype, device=counts.device)
            share = counts[younger] / (counts[younger] + counts[older]).clamp_min(1)
            mean[older, younger], mean[older, older] = share, 1 - share
            added = counts.index_add(0, older, counts[younger])
            mean = mean[stay]
            codes.append(mean @ self.codes[walk])
            memories.append(
                (mean @ self.memories.whitened[walk], mean @ self.memories.expected[walk], added[stay])
            )
        self.codes = torch.stack(codes)
        self.memories = Memories(*(torch.stack(column) for column in zip(*memories, strict=True)))
        hypotheses.paths.rearrange(torch.stack(kept))

    def _cost(self, overlaps: Tensor) -> Tensor:
        """How far memories are apart, nats, (batch, memories, memories); −1 beside those not seen."""
        whitened = self.memories.whitened / self.memory.memory_scale
        apart = 0.5 * pairwise_squared_distance(whitened, whitened)
        cost = apart + self.memory.precision * (1 - overlaps)
        unseen = self.memories.counts == 0
        return cost.masked_fill(unseen.unsqueeze(-1) | unseen.unsqueeze(-2), -1.0)
