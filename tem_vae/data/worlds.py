"""Worlds: places and the links between them, labelled by the action that follows each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

NO_LINK = -1

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
Range = tuple[int, int]


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


class WorldSource(Protocol):
    """Where worlds come from. Action 0 always stays in place."""

    @property
    def actions(self) -> Sequence[str]:
        """The names of the actions, in the order of their numbers."""

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw a batch of worlds."""


class RectangularWorlds:
    """Rectangular lattices with walls at the border; sizes are drawn evenly from a range.

    Args:
        height: Smallest and largest number of rows.
        width: Smallest and largest number of columns.

    Raises:
        ValueError: If a range is empty or begins below 1.
    """

    actions = ("stay", "up", "down", "left", "right")
    _displacements = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))

    def __init__(self, height: Range, width: Range) -> None:
        for name, (smallest, largest) in (("height", height), ("width", width)):
            if not 1 <= smallest <= largest:
                raise ValueError(
                    f"{name} must be a range [min, max] with 1 <= min <= max, got [{smallest}, {largest}]"
                )
        self.height = height
        self.width = width

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw ``batch`` worlds whose heights and widths lie in the ranges, ends included."""
        heights = rng.integers(*self.height, batch, endpoint=True)
        widths = rng.integers(*self.width, batch, endpoint=True)
        sizes = heights * widths
        place = np.arange(sizes.max())
        rows, columns = np.divmod(place[None], widths[:, None])
        destinations = [self._step(rows, columns, heights, widths, *d) for d in self._displacements]
        layout = np.stack([columns, -rows], axis=-1).astype(np.float64)
        return Worlds(np.stack(destinations, axis=-1), layout, sizes)

    @staticmethod
    def _step(
        rows: IntArray, columns: IntArray, heights: IntArray, widths: IntArray, down: int, right: int
    ) -> IntArray:
        """The place one displacement away, shape (batch, places); ``NO_LINK`` beyond a wall."""
        row, column = rows + down, columns + right
        inside = (row >= 0) & (row < heights[:, None]) & (column >= 0) & (column < widths[:, None])
        return np.where(inside, row * widths[:, None] + column, NO_LINK)
