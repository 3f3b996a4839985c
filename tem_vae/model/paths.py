"""Where each of several hypotheses about a walk has been, without keeping twice what they share."""

from collections.abc import Callable

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul
from tem_vae.model.parts import Location, take_rows
from tem_vae.model.places import Places, number_distinct

_SWEEP_EVERY, _FIRST_ROOM = 16, 64
_SMALLEST_SHARE = 1e-4
# 1 − g · g' below which two locations are one place: phases apart by four thousandths of a radian on average,
# far less than memories are told apart by, and more than opposite actions leave open once they are learned.
_SAME = 1e-5


class Paths:
    """Location codes of every step of K hypotheses of each walk.

    Hypotheses share most of their past, and walks return: each place is kept once, products with the codes of
    all are taken once for each place, and then dealt out.

    Args:
        start: Where walks begin, (batch).
        returns: Whether a location as good as that of an older place is taken for that place. So rotations
            that close but for a little do not make new places on every round.
    """

    def __init__(self, start: Location, returns: bool) -> None:
        batch = len(start.code)
        self.step = 1
        self._returns = returns
        self._unswept = 0
        self._places = Location(*(part.unsqueeze(1) for part in start))
        self._used = torch.ones(batch, dtype=torch.long, device=start.code.device)
        self._index = torch.zeros(batch, 1, _FIRST_ROOM, dtype=torch.int32, device=start.code.device)

    @property
    def here(self) -> Places:
        """Where the hypotheses are now, numbers of shape (batch, K)."""
        now = self._index[:, :, self.step - 1].long()
        numbers, first, _ = number_distinct(now)
        return Places(self._places.rows(now.gather(1, first)), numbers)

    def compare(self, queries: Places, kernel: Callable[[Tensor], Tensor]) -> Tensor:
        """A function of Q · g_s for every step s so far of the hypothesis that a query is of.

        Args:
            queries: C of each hypothesis, numbers of shape (batch, K, C).
            kernel: The function.

        Returns:
            (batch, K, C, steps so far).
        """
        known = self._places.code[:, : int(self._used.max())]
        compared = kernel(matmul(queries.location.code, known.mT))
        batch, rows, columns = compared.shape
        first = torch.arange(batch, device=known.device)[:, None, None] * rows
        row = ((first + queries.numbers) * columns).unsqueeze(-1)
        # Short numbers are read several times as fast.
        row = row.int() if compared.numel() <= torch.iinfo(torch.int32).max else row
        index = row + self._index[:, :, None, : self.step]
        return compared.flatten().index_select(0, index.flatten()).view(index.shape)

    def extend(self, ancestors: Tensor, places: Places) -> None:
        """Each hypothesis becomes a new one: an older one, (batch, K), and one more step, (batch, K)."""
        if self.step == self._index.shape[-1]:
            self._index = torch.nn.functional.pad(self._index, (0, self.step))
        index = take_rows(self._index, ancestors)
        index[:, :, self.step] = self._remember(places).int()
        self._index = index
        self.step += 1
        self._unswept += 1
        if self._unswept == _SWEEP_EVERY:
            self._sweep()

    def _remember(self, places: Places) -> Tensor:
        """Numbers of places among all that were kept; what is new is added. (batch, n)."""
        numbers, first, counts = number_distinct(places.numbers)
        new = places.location.rows(places.numbers.gather(1, first))
        columns = torch.arange(first.shape[1], device=first.device)
        is_new, kept = columns < counts.unsqueeze(1), torch.zeros_like(first)
        representative = columns.expand_as(first)
        if self._returns:
            kept, is_new, representative = self._recognise(new, is_new)
        added = is_new.cumsum(dim=1)
        kept = torch.where(is_new, self._used.unsqueeze(1) + added - 1, kept)
        self._add(new, is_new, kept)
        self._used = self._used + added[:, -1]
        return kept.gather(1, representative).gather(1, numbers)

    def _recognise(self, found: Location, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Which of the locations found, (batch, n), are known.

        Returns:
            The number of the known one, whether there is none and none before it is the same, and which one
            stands for it, (batch, n) each.
        """
        known = self._places.code[:, : int(self._used.max())]
        there = torch.arange(known.shape[1], device=known.device) < self._used.unsqueeze(1)
        same = (matmul(found.code, known.mT) > 1 - _SAME) & there.unsqueeze(1)
        is_known, kept = same.byte().max(dim=-1)
        alike = (matmul(found.code, found.code.mT) > 1 - _SAME) & valid.unsqueeze(1)
        columns = torch.arange(len(alike[0]), device=known.device)
        alike = alike | (columns == columns.unsqueeze(1))
        earliest = alike.byte().argmax(dim=-1)
        representative = torch.where(is_known.bool(), columns, earliest)
        return kept, valid & ~is_known.bool() & (earliest == columns), representative

    def _add(self, new: Location, is_new: Tensor, kept: Tensor) -> None:
        """Keep those of the locations that are new, (batch, n), under their numbers."""
        room, needed = self._places.code.shape[1], int(kept.max()) + 1
        if needed > room:
            more = needed + room
            self._places = Location(
                *(torch.nn.functional.pad(part, (0, 0, 0, more - room)) for part in self._places)
            )
        walks, columns = is_new.nonzero(as_tuple=True)
        for part, those in zip(self._places, new, strict=True):
            part[walks, kept[walks, columns]] = those[walks, columns]

    def overlaps(self, shares: Tensor) -> Tensor:
        """Σ_k shares_k g_s · g_s' of all steps so far, (batch, steps so far, steps so far).

        Args:
            shares: Of the hypotheses, (batch, K).
        """
        codes = self._places.code
        found = codes.new_zeros(len(shares), self.step, self.step)
        for walk, kept in enumerate(shares > _SMALLEST_SHARE):
            for k in kept.nonzero().flatten().tolist():
                path = codes[walk].index_select(0, self._index[walk, k, : self.step])
                found[walk].addmm_(shares[walk, k].to(codes.dtype) * path, path.mT)
        return found

    def rearrange(self, columns: Tensor) -> None:
        """Keep some of the steps in their order, by their numbers, (batch, steps kept)."""
        self.step = columns.shape[1]
        for walk, kept in enumerate(columns):
            self._index[walk, :, : self.step] = self._index[walk].index_select(1, kept)

    def _sweep(self) -> None:
        """Drop the places of hypotheses that are no more."""
        self._unswept = 0
        index = self._index[:, :, : self.step].flatten(1)
        kept = torch.zeros(self._places.code.shape[:2], dtype=torch.bool, device=index.device)
        kept.scatter_(1, index.long(), True)
        number = kept.cumsum(dim=1) - 1
        self._used = number[:, -1] + 1
        order = kept.byte().argsort(dim=1, descending=True, stable=True)[:, : int(self._used.max())]
        self._places = self._places.rows(order)
        self._index[:, :, : self.step] = (
            number.gather(1, index.long()).view(self._index[:, :, : self.step].shape).int()
        )
