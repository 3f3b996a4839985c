"""Near weights of every step of walks whose location is in doubt: kept, or computed again each time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

# Numbers that are kept: 64 MB in float32.
MOST_KEPT = 2**24


class NearRows(ABC):
    """n_ts of every step t of walks and every earlier step s."""

    @abstractmethod
    def between(self, first: int, last: int) -> Tensor:
        """Steps first to last - 1, (batch, last - first, last), 0 from the diagonal on."""


class KeptRows(NearRows):
    """All of them.

    Args:
        rows: n_ts of step 0, 1, 2, ..., (batch, t) each.
    """

    def __init__(self, rows: Sequence[Tensor]) -> None:
        padded = [torch.nn.functional.pad(row, (0, len(rows) - row.shape[-1])) for row in rows]
        self.near = torch.stack(padded, dim=1)

    def between(self, first: int, last: int) -> Tensor:
        """As they are."""
        return self.near[:, first:last, :last]


class RepeatedRows(NearRows):
    """Each time computed again, which takes memory in proportion to time; cheapest in the order of time.

    Args:
        follow: n_ts of step 0, 1, 2, ..., (batch, t) each.
    """

    def __init__(self, follow: Callable[[], Iterator[Tensor]]) -> None:
        self._follow = follow
        self._next, self._rows = 0, follow()

    def between(self, first: int, last: int) -> Tensor:
        """From where the last call ended, or else from the beginning."""
        if first < self._next:
            self._next, self._rows = 0, self._follow()
        found = []
        for step in range(self._next, last):
            row = next(self._rows)
            if step >= first:
                found.append(torch.nn.functional.pad(row, (0, last - step)))
        self._next = last
        return torch.stack(found, dim=1)
