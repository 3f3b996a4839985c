"""Hexagonal lattices: a place has six neighbors, fewer at the border."""

from functools import cache

import numpy as np

from tem_vae.worlds.world import STAY, Range, World, Worlds, check_range, lattice_links


class HexagonalWorlds:
    """Hexagons of hexagonal cells with walls at the border; a radius k makes 3k(k + 1) + 1 places.

    Args:
        radius: Smallest and largest number of links from the central place to the border.

    Raises:
        ValueError: If the range is empty or begins below 1.
    """

    actions = (STAY, "east", "northeast", "northwest", "west", "southwest", "southeast")

    def __init__(self, radius: Range) -> None:
        check_range("radius", radius, smallest=1)
        self.radius = radius

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw ``batch`` worlds whose radii lie in the range, ends included."""
        radii = rng.integers(*self.radius, batch, endpoint=True)
        return Worlds.stack([hexagon(radius) for radius in radii.tolist()])


@cache
def hexagon(radius: int) -> World:
    """The hexagon of a radius, its places numbered from south to north.

    A cell has axial coordinates (q, r): q links to the east and r to the northeast of the central place.
    """
    span = range(-radius, radius + 1)
    cells = np.array([(q, r) for r in span for q in span if abs(q + r) <= radius])
    displacements = np.array([(0, 0), (1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)])
    basis = np.array([(1.0, 0.0), (0.5, np.sqrt(0.75))])
    return World(lattice_links(cells, displacements), cells @ basis)
