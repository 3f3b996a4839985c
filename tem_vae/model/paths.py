"""Where each of several hypotheses about a walk has been, without keeping twice what they share."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul
from tem_vae.model.parts import Location

_SWEEP_EVERY, _FIRST_ROOM = 16, 64
_SMALLEST_SHARE = 1e-4
# Phases of one location, added up in another order, differ by rounding, 1e-12; those of others by more.
_QUANTUM = 1e-7


class Places(NamedTuple):
    """Locations of which many are the same, each of them once.

    Attributes:
        codes: Location codes that differ, (batch, places, G), padded to the walk with most of them.
        numbers: Which of them each location is, (batch, *n).
        counts: How many differ in each walk.
    """

    codes: Tensor
    numbers: Tensor
    counts: list[int]

    def chosen(self, index: Tensor) -> "Places":
        """Those of some of the locations, given by their numbers in a flat row, (batch, K)."""
        chosen = self.numbers.flatten(1).gather(1, index)
        numbers, first, counts = _number(chosen)
        return Places(_rows(self.codes, chosen.gather(1, first)), numbers, counts)


def distinct_places(there: Location) -> Places:
    """The same locations, (batch, *n), each once: hypotheses that took the same actions in any order meet."""
    phases = there.phases.flatten(1, -2)
    # Two sums of phases with weights of no pattern tell locations apart.
    multiples = torch.arange(1, 1 + phases.shape[-1], dtype=phases.dtype, device=phases.device)
    weights = torch.stack([(1.618034 * multiples).sin(), (2.236068 * multiples).cos()], dim=-1)
    sums = (matmul(phases, weights) / _QUANTUM).round().long()
    numbers, first, counts = _number(sums[..., 0] * 1_000_003 + sums[..., 1])
    return Places(_rows(there.code.flatten(1, -2), first), numbers.view(there.phases.shape[:-1]), counts)


class Paths:
    """Location codes of every step of K hypotheses of each walk.

    At most steps most hypotheses are at the same place or at one of a few, and each place of each step is
    kept once. Products with the codes of all are taken once for each place and then dealt out.

    Args:
        codes: Location codes where walks begin, (batch, G).
        hypotheses: K.
    """

    def __init__(self, codes: Tensor, hypotheses: int) -> None:
        batch, size = codes.shape
        self.step = 1
        self._used, self._unswept = [1] * batch, 0
        self._codes = codes.new_zeros(batch, 1 + _SWEEP_EVERY * hypotheses, size)
        self._codes[:, 0] = codes
        self._index = torch.zeros(batch, hypotheses, _FIRST_ROOM, dtype=torch.int32, device=codes.device)

    def extend(self, ancestors: Tensor, places: Places) -> None:
        """Each hypothesis becomes a new one: an older one, (batch, K), and one more step, (batch, K)."""
        here, more = self.step, places.codes.shape[1]
        self._unswept += 1
        if self._unswept == _SWEEP_EVERY:
            self._sweep()
        room = self._codes.shape[1]
        if max(self._used) + more > room:
            self._codes = torch.nn.functional.pad(self._codes, (0, 0, 0, room + more))
        if here == self._index.shape[-1]:
            self._index = torch.nn.functional.pad(self._index, (0, here))
        for walk, (used, count) in enumerate(zip(self._used, places.counts, strict=True)):
            index = self._index[walk]
            index[:, :here] = index[:, :here].index_select(0, ancestors[walk])
            index[:, here] = places.numbers[walk] + used
            self._codes[walk, used : used + count] = places.codes[walk, :count]
            self._used[walk] += count
        self.step += 1

    def compare(self, queries: Places, kernel: Callable[[Tensor], Tensor]) -> Tensor:
        """A function of Q · g_s for every step s so far of the hypothesis that a query is of.

        Args:
            queries: C of each hypothesis, (batch, K, C).
            kernel: The function.

        Returns:
            (batch, K, C, steps so far).
        """
        numbers = queries.numbers.int()
        result = queries.codes.new_empty(*numbers.shape, self.step)
        for walk, (used, count) in enumerate(zip(self._used, queries.counts, strict=True)):
            compared = kernel(matmul(queries.codes[walk, :count], self._codes[walk, :used].mT))
            row = (numbers[walk] * used).unsqueeze(-1)
            index = row + self._index[walk, :, : self.step].unsqueeze(1)
            torch.index_select(compared.view(-1), 0, index.view(-1), out=result[walk].view(-1))
        return result

    def overlaps(self, shares: Tensor) -> Tensor:
        """Σ_k shares_k g_s · g_s' of all steps so far, (batch, steps so far, steps so far).

        Args:
            shares: Of the hypotheses, (batch, K).
        """
        found = self._codes.new_zeros(len(shares), self.step, self.step)
        for walk, kept in enumerate(shares > _SMALLEST_SHARE):
            for k in kept.nonzero().flatten().tolist():
                codes = self._codes[walk].index_select(0, self._index[walk, k, : self.step])
                found[walk].addmm_(shares[walk, k].to(codes.dtype) * codes, codes.mT)
        return found

    def rearrange(self, columns: Tensor) -> None:
        """Keep some of the steps in their order, by their numbers, (batch, steps kept)."""
        self.step = columns.shape[1]
        for walk, kept in enumerate(columns):
            self._index[walk, :, : self.step] = self._index[walk].index_select(1, kept)

    def _sweep(self) -> None:
        """Drop the places of hypotheses that are no more."""
        self._unswept = 0
        for walk, used in enumerate(self._used):
            index = self._index[walk, :, : self.step]
            kept = torch.zeros(used, dtype=torch.bool, device=index.device)
            kept[index.flatten()] = True
            number = kept.cumsum(dim=0, dtype=torch.int32) - 1
            self._used[walk] = int(number[-1]) + 1
            self._codes[walk, : self._used[walk]] = self._codes[walk, :used][kept]
            index.copy_(number[index])


def _number(keys: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    """Which of the distinct keys of its row each is, where one of each stands, and how many there are.

    Args:
        keys: (batch, n).

    Returns:
        (batch, n), (batch, distinct) and one count a row.
    """
    ordered, order = keys.sort(dim=1)
    is_new = torch.ones_like(ordered)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    rank = is_new.cumsum(dim=1) - 1
    counts = (rank[:, -1] + 1).tolist()
    first = torch.zeros_like(keys[:, : max(counts)]).scatter_(1, rank, order)
    return torch.empty_like(rank).scatter_(1, order, rank), first, counts


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows (batch, n, D) by their numbers, (batch, K) -> (batch, K, D); faster than a gather."""
    first = torch.arange(0, table.shape[0] * table.shape[1], table.shape[1], device=table.device)
    return table.flatten(0, 1).index_select(0, (index + first.unsqueeze(1)).flatten()).view(*index.shape, -1)
