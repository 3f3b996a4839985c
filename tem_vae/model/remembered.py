"""What an observer has remembered so far, in room that grows by doubling or is kept bounded by merging."""

from collections.abc import Callable

import torch
from torch import Tensor

from tem_vae.geometry import Factorization
from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.geometry.mode import mode_shares, neighborhood_keys
from tem_vae.geometry.precision import matmul
from tem_vae.model.parts import Memory

_FIRST_ROOM = 64
SHARE_MERGED = 0.25
_FEWEST = 4


def check_capacity(capacity: int | None) -> None:
    """Check that there are memories enough to merge; None keeps all.

    Raises:
        ValueError: The capacity is too small to merge anything.
    """
    if capacity is not None and capacity < _FEWEST:
        raise ValueError(f"capacity must be at least {_FEWEST} memories, but it is {capacity}.")


class Remembered:
    """The null component and then all memories, the older first, each with how often it was remembered.

    Room is doubled when there is none, so that to remember takes a constant time on average. With a capacity
    it is made by merging memories that are close in both codes: a quarter of them at once, in pairs of which
    each memory is in one, the closest first. How close two are says

    ½ d²(g, g')/lambda² + ½ ‖w(c) − w(c')‖²/eps_m².

    A merged memory has the mean code of all that it stands for, the location code of the one that stood for
    more (of the older, where both stood for as many), and the sum of their counts. What was appended unseen
    has the count 0, so no weight, and is merged before anything else.

    Of codes only their whitened coordinates are kept, and what the decoder reads of them: both are linear, so
    that those of a mean are means.

    Args:
        memory: The memory of the model.
        factorization: Of the pseudometric in use.
        embed: From codes to what the decoder reads of them, (*, N) -> (*, D); linear.
        code: A code, (*batch, N), for shape and dtype.
        location: A location code, (*batch, G), for shape and dtype.
        capacity: The most memories to keep; None to keep all.
    """

    def __init__(
        self,
        memory: Memory,
        factorization: Factorization,
        embed: Callable[[Tensor], Tensor],
        code: Tensor,
        location: Tensor,
        capacity: int | None,
    ) -> None:
        self.memory = memory
        self.factorization = factorization
        self.embed = embed
        self.capacity = capacity
        self._scale = memory.memory_scale
        self._used = 1
        neighborhood = memory.null(factorization)
        null = neighborhood.center.expand_as(code).unsqueeze(-2).to(code.dtype)
        self._embedded, self._whitened = embed(null), factorization.whiten(null)
        self._locations = torch.zeros_like(location).unsqueeze(-2)
        self._counts = torch.ones_like(null[..., 0])
        self._scales = neighborhood.scale.to(code.dtype).expand_as(self._counts)
        self._keys = neighborhood_keys(self._whitened, self._scales)
        self._resize(_FIRST_ROOM)

    @property
    def counts(self) -> Tensor:
        """How often each was remembered, (*batch, memories); 0 for what was not seen."""
        return self._counts[..., 1 : self._used]

    def log_weights(self, location: Tensor) -> Tensor:
        """Log memory weights at a location code, (*batch, G) -> (*batch, 1 + memories)."""
        remembered = self._locations[..., 1 : self._used, :]
        return self.memory.log_weights_at(location.unsqueeze(-2), remembered, self.counts).squeeze(-2)

    def mode(self, log_weights: Tensor) -> Tensor:
        """What the decoder reads of a code of high density, (*batch, 1 + memories) -> (*batch, D).

        The code is that of `NeighborhoodMixture.mode`.
        """
        whitened, keys, scales, embedded = (
            tensor[..., : self._used, :]
            for tensor in (self._whitened, self._keys, self._scales.unsqueeze(-1), self._embedded)
        )
        shares = mode_shares(log_weights.unsqueeze(-2), keys, whitened, scales.squeeze(-1))
        return matmul(shares, embedded).squeeze(-2)

    def append(self, code: Tensor, location: Tensor, seen: Tensor) -> None:
        """Remember a code, (*batch, N), at a location code, (*batch, G), where it was seen, (*batch)."""
        if self.capacity is not None and self._used > self.capacity:
            self._merge(max(1, int(SHARE_MERGED * self.capacity)))
        if self._used == self._whitened.shape[-2]:
            self._resize(2 * self._used)
        row = slice(self._used, self._used + 1)
        code = code.unsqueeze(-2)
        whitened, embedded = self.factorization.whiten(code), self.embed(code)
        self._write(row, whitened, embedded, location.unsqueeze(-2), seen.unsqueeze(-1))
        self._used += 1

    def _write(
        self, rows: slice, whitened: Tensor, embedded: Tensor, locations: Tensor, counts: Tensor
    ) -> None:
        self._whitened[..., rows, :], self._embedded[..., rows, :] = whitened, embedded
        self._locations[..., rows, :] = locations
        self._counts[..., rows] = counts.to(self._counts.dtype)
        self._scales[..., rows] = self._scale
        self._keys[..., rows, :] = neighborhood_keys(whitened, self._scales[..., rows])

    def _resize(self, room: int) -> None:
        axis = self._counts.ndim - 1
        for name in ("_embedded", "_locations", "_counts", "_scales", "_whitened", "_keys"):
            old = getattr(self, name)
            new = old.new_zeros(*old.shape[:axis], room, *old.shape[axis + 1 :])
            new.narrow(axis, 0, self._used).copy_(old.narrow(axis, 0, self._used))
            setattr(self, name, new)

    def _merge(self, pairs: int) -> None:
        """Merge so many pairs of memories."""
        rows = slice(1, self._used)
        whitened, locations = self._whitened[..., rows, :], self._locations[..., rows, :]
        counts = self._counts[..., rows]
        cost = 0.5 * self.memory.precision * pairwise_squared_distance(locations, locations)
        apart = whitened / self._scale
        cost = cost + 0.5 * pairwise_squared_distance(apart, apart)
        unseen = counts == 0
        cost = cost.masked_fill(unseen.unsqueeze(-1) | unseen.unsqueeze(-2), -1.0)
        parts = [cost, whitened, self._embedded[..., rows, :], locations, counts.unsqueeze(-1)]
        walks = zip(*(part.reshape(-1, *part.shape[-2:]) for part in parts), strict=True)
        merged = zip(*(_merge_closest(pairs, *walk) for walk in walks), strict=True)
        self._used -= pairs
        whitened, embedded, locations, counts = (
            torch.stack(part).reshape(*counts.shape[:-1], -1, part[0].shape[-1]) for part in merged
        )
        self._write(slice(1, self._used), whitened, embedded, locations, counts.squeeze(-1))


def _merge_closest(
    pairs: int, cost: Tensor, whitened: Tensor, embedded: Tensor, locations: Tensor, counts: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both kinds of codes, locations and counts (*, 1) of one walk after its closest pairs were merged."""
    younger, older = closest_pairs(cost, pairs).unbind(-1)
    kinds, locations, counts = [whitened.clone(), embedded.clone()], locations.clone(), counts.clone()
    total = counts[older] + counts[younger]
    share = counts[younger] / total.clamp_min(1)
    for codes in kinds:
        codes[older] = torch.lerp(codes[older], codes[younger], share)
    heavier = counts[younger] > counts[older]
    locations[older] = torch.where(heavier, locations[younger], locations[older])
    counts[older] = total
    kept = torch.ones(len(counts), dtype=torch.bool, device=counts.device)
    kept[younger] = False
    return kinds[0][kept], kinds[1][kept], locations[kept], counts[kept]


def closest_pairs(cost: Tensor, pairs: int) -> Tensor:
    """Pairs (younger, older) of which no two share a memory, those of least cost first, (pairs, 2).

    There must be at least twice as many memories.
    """
    cost = cost.masked_fill(torch.ones_like(cost, dtype=torch.bool).triu(), torch.inf)
    found: list[tuple[int, int]] = []
    while len(found) < pairs:
        # Each memory with the older one closest to it: some of them are taken, the rest next time.
        least, older = cost.min(dim=-1)
        taken: set[int] = set()
        for younger in least.argsort(stable=True).tolist():
            pair = younger, int(older[younger])
            if len(found) < pairs and least[younger].isfinite() and taken.isdisjoint(pair):
                taken.update(pair)
                found.append(pair)
        cost[list(taken)], cost[:, list(taken)] = torch.inf, torch.inf
    return torch.tensor(found, device=cost.device)
