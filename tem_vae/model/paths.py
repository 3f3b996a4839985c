"""Where each of several hypotheses about a walk has been, without keeping twice what they share."""

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul

_REBUILD_EVERY = 16


class Paths:
    """Location codes of every step of K hypotheses of each walk, as a tree of what they share.

    Long ago most hypotheses were one, so products with the codes of all are taken once for each distinct
    code and then dealt out.

    Args:
        codes: Location codes where walks begin, (batch, G).
        hypotheses: K.
        steps: How many steps a walk has.
    """

    def __init__(self, codes: Tensor, hypotheses: int, steps: int) -> None:
        batch, size = codes.shape
        self.step = 1
        self._codes = codes.new_zeros(batch, steps, hypotheses, size)
        self._codes[:, 0] = codes.unsqueeze(1)
        self._slots = torch.zeros(batch, hypotheses, steps, dtype=torch.long, device=codes.device)
        self._index, self._compacted = self._slots[:, :, :1], 1
        self._distinct = self._with_room(codes.unsqueeze(1))

    def extend(self, ancestors: Tensor, codes: Tensor) -> None:
        """Each hypothesis becomes a new one: an older one, (batch, K), and one more step, (batch, K, G)."""
        here, hypotheses = self.step, ancestors.shape[1]
        past = ancestors.unsqueeze(-1)
        self._slots[:, :, :here] = self._slots[:, :, :here].gather(1, past.expand(-1, -1, here))
        self._slots[:, :, here] = torch.arange(hypotheses, device=codes.device)
        self._codes[:, here] = codes
        self._distinct[:, self._used : self._used + hypotheses] = codes
        self._used += hypotheses
        self._index = self._index.gather(1, past.expand(-1, -1, self._compacted))
        self.step += 1
        if self.step - self._compacted >= _REBUILD_EVERY:
            self._compact()

    def products(self, queries: Tensor) -> Tensor:
        """Q · g_s for every step s so far of the hypothesis that a query is of, (batch, K, C, steps so far).

        Args:
            queries: Location codes, (batch, K, C, G).
        """
        batch, hypotheses, candidates = queries.shape[:3]
        products = matmul(queries.flatten(1, 2), self._distinct[:, : self._used].mT)
        products = products.view(batch, hypotheses, candidates, -1)
        slots = self._slots[:, :, self._compacted : self.step]
        recent = hypotheses * slots.shape[-1]
        offset = torch.arange(0, recent, hypotheses, device=slots.device) + self._used - recent
        index = torch.cat([self._index, slots + offset], dim=-1)
        return products.gather(-1, index.unsqueeze(2).expand(-1, -1, candidates, -1))

    def _compact(self) -> None:
        """Number the distinct codes of every walk, padded to the walk that has most of them."""
        slots, order = self._slots[:, :, : self.step].sort(dim=1)
        is_new = torch.cat([torch.ones_like(slots[:, :1]), (slots[:, 1:] != slots[:, :-1]).long()], dim=1)
        rank = is_new.cumsum(dim=1) - 1
        count = rank[:, -1] + 1
        number = rank + (count.cumsum(dim=-1) - count).unsqueeze(1)
        self._index = torch.empty_like(number).scatter_(1, order, number)
        room = int(count.sum(dim=-1).max())
        flat = (slots + self._codes.shape[2] * torch.arange(self.step, device=slots.device)).flatten(1)
        source = torch.zeros(len(flat), room, dtype=torch.long, device=flat.device)
        source.scatter_(1, number.flatten(1), flat)
        codes = self._codes.flatten(1, 2)
        self._distinct = self._with_room(
            codes.gather(1, source.unsqueeze(-1).expand(-1, -1, codes.shape[-1]))
        )
        self._compacted = self.step

    def _with_room(self, distinct: Tensor) -> Tensor:
        """The distinct codes so far, (batch, codes, G), with room for those until the next time."""
        self._used = distinct.shape[1]
        return torch.nn.functional.pad(distinct, (0, 0, 0, _REBUILD_EVERY * self._slots.shape[1]))
