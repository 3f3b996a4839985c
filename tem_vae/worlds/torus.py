"""Tori: rectangular lattices without a border."""

import numpy as np

from tem_vae.arrays import IntArray
from tem_vae.worlds.rectangular import RectangularWorlds
from tem_vae.worlds.world import NO_LINK


class TorusWorlds(RectangularWorlds):
    """Rectangular lattices whose opposite edges are joined; sizes are drawn evenly from a range.

    Who goes up from the top row comes to the bottom row of the same column, and so on. So every action is
    open everywhere. Actions have the names of `RectangularWorlds`. The layout is that of a rectangle: in
    the plane, the two ends of a link that joins two edges lie far apart.

    Both ranges begin at 3 or above. With 2 rows, up and down lead to the same place. Links are told apart
    by the two places that they join, so a walk up would count as a walk over the link down. With 1 row,
    up leads nowhere.

    Args:
        height: Smallest and largest number of rows.
        width: Smallest and largest number of columns.

    Raises:
        ValueError: If a range is empty or begins below 3.
    """

    _smallest_side = 3

    @staticmethod
    def _step(
        rows: IntArray, columns: IntArray, heights: IntArray, widths: IntArray, down: int, right: int
    ) -> IntArray:
        """The place one displacement away, shape (batch, places); ``NO_LINK`` where the world has ended."""
        heights, widths = heights[:, None], widths[:, None]
        reached = (rows + down) % heights * widths + (columns + right) % widths
        return np.where(rows < heights, reached, NO_LINK)
