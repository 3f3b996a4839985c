"""Rectangular lattices."""

import numpy as np

from tem_vae.arrays import IntArray
from tem_vae.worlds.world import NO_LINK, STAY, Range, Worlds, check_range


class RectangularWorlds:
    """Rectangular lattices with walls at the border; sizes are drawn evenly from a range.

    Args:
        height: Smallest and largest number of rows.
        width: Smallest and largest number of columns.

    Raises:
        ValueError: If a range is empty or begins below 1.
    """

    actions = (STAY, "up", "down", "left", "right")
    _smallest_side = 1
    _displacements = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))

    def __init__(self, height: Range, width: Range) -> None:
        check_range("height", height, smallest=self._smallest_side)
        check_range("width", width, smallest=self._smallest_side)
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
