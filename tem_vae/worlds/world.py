"""Worlds: places and the links between them, labelled by the action that follows each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from tem_vae.arrays import FloatArray, IntArray

NO_LINK = -1
STAY = "stay"
STAY_NUMBER = 0

Range = tuple[int, int]


class World(NamedTuple):
    """One world.

    Attributes:
        destinations: The place that each action leads to from each place, or ``NO_LINK``,
            shape (places, actions).
        layout: Where each place lies in the plane, in link lengths, shape (places, 2).
    """

    destinations: IntArray
    layout: FloatArray


@dataclass(frozen=True)
class Worlds:
    """A batch of worlds, padded to the largest.

    Attributes:
        destinations: The place that each action leads to from each place, or ``NO_LINK``,
            shape (batch, places, actions).
        layout: Where each place lies in the plane, in link lengths, shape (batch, places, 2).
        sizes: The number of places of each world, shape (batch,).
    """

    destinations: IntArray
    layout: FloatArray
    sizes: IntArray

    @classmethod
    def stack(cls, worlds: Sequence[World]) -> "Worlds":
        """Put worlds with the same actions into one batch."""
        sizes = np.array([len(world.layout) for world in worlds])
        n_actions = worlds[0].destinations.shape[1]
        destinations = np.full((len(worlds), sizes.max(), n_actions), NO_LINK)
        layout = np.zeros((len(worlds), sizes.max(), 2))
        for row, (world, size) in enumerate(zip(worlds, sizes, strict=True)):
            destinations[row, :size] = world.destinations
            layout[row, :size] = world.layout
        return cls(destinations, layout, sizes)


class WorldSource(Protocol):
    """Where worlds come from. Action ``STAY_NUMBER``, named ``STAY``, stays in place everywhere."""

    @property
    def actions(self) -> Sequence[str]:
        """The names of the actions, in the order of their numbers."""

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw a batch of worlds."""


def lattice_links(cells: IntArray, displacements: IntArray) -> IntArray:
    """The number of the cell at each displacement from each cell, or ``NO_LINK``, (cells, displacements).

    Args:
        cells: Integer coordinates, all different, shape (cells, 2).
        displacements: What each action adds to the coordinates, shape (displacements, 2).
    """
    numbers = {(x, y): number for number, (x, y) in enumerate(cells.tolist())}
    reached = (cells[:, None] + displacements).tolist()
    return np.array([[numbers.get((x, y), NO_LINK) for x, y in row] for row in reached], dtype=np.int64)


def check_range(name: str, value: Range, smallest: int) -> None:
    """Refuse a range [min, max] that is empty or begins too low.

    Raises:
        ValueError: ``smallest <= min <= max`` does not hold.
    """
    if not smallest <= value[0] <= value[1]:
        raise ValueError(
            f"{name} must be a range [min, max] with {smallest} <= min <= max, got [{value[0]}, {value[1]}]"
        )
