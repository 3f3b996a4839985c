"""Locations of which many are the same, each of them once."""

from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.model.parts import Location


class Places(NamedTuple):
    """Locations by their numbers.

    Attributes:
        location: Those that may differ, (batch, places), padded with the first of a walk.
        numbers: Which of them each is, (batch, *n).
    """

    location: Location
    numbers: Tensor

    @property
    def each(self) -> Location:
        """All of them, (batch, *n)."""
        return self.location.rows(self.numbers)


def number_distinct(keys: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which of the distinct keys of its row each is, where one of each stands, and how many there are.

    Args:
        keys: (batch, n), n > 0.

    Returns:
        (batch, n), (batch, most distinct of a row), padded with 0, and (batch).
    """
    ordered, order = keys.sort(dim=1)
    is_new = torch.ones_like(ordered)
    is_new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    rank = is_new.cumsum(dim=1) - 1
    counts = rank[:, -1] + 1
    first = torch.zeros_like(ordered[:, : int(counts.max())], dtype=torch.long).scatter_(1, rank, order)
    return torch.empty_like(rank).scatter_(1, order, rank), first, counts
