"""Rectangular lattices with walls between places and obstacles in place of some."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.worlds.rectangular import RectangularWorlds
from tem_vae.worlds.world import NO_LINK, Range, World, Worlds


class ObstructedWorlds:
    """Rectangles with obstacles, which are cells without a place, and walls, which close a link.

    Every world is drawn anew. Where obstacles cut the rectangle into parts, only the largest part is kept.
    Walls never cut off a place. Actions have the names of `RectangularWorlds`, and lead to the same cell
    unless something is in the way. So a model trained on one kind can be evaluated on the other.

    Args:
        height: Smallest and largest number of rows.
        width: Smallest and largest number of columns.
        obstacles: The fraction of cells that are obstacles, in [0, 1).
        walls: The probability that a wall closes a link, in [0, 1]. The links of a random spanning tree are
            never closed, so that every place can be reached. With 1 the world is a maze without loops.

    Raises:
        ValueError: If a range is empty or begins below 1, or a share is out of its range.
    """

    actions = RectangularWorlds.actions

    def __init__(self, height: Range, width: Range, obstacles: float, walls: float) -> None:
        if not 0 <= obstacles < 1:
            raise ValueError(f"obstacles must be a share in [0, 1), got {obstacles}")
        if not 0 <= walls <= 1:
            raise ValueError(f"walls must be a probability in [0, 1], got {walls}")
        self._rectangles = RectangularWorlds(height, width)
        self.obstacles = obstacles
        self.walls = walls

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw ``batch`` worlds."""
        rectangles = self._rectangles.sample(batch, rng)
        worlds = zip(rectangles.destinations, rectangles.layout, rectangles.sizes, strict=True)
        return Worlds.stack([self._obstruct(d[:size], p[:size], rng) for d, p, size in worlds])

    def _obstruct(self, destinations: IntArray, layout: FloatArray, rng: np.random.Generator) -> World:
        blocked = rng.permutation(len(layout))[: int(self.obstacles * len(layout))]
        free = np.ones(len(layout), dtype=bool)
        free[blocked] = False
        world = keep_places(World(destinations, layout), free)
        n_parts, part = connected_components(adjacency(world.destinations), directed=False)
        largest = np.bincount(part, minlength=n_parts).argmax()
        return self._build_walls(keep_places(world, part == largest), rng)

    def _build_walls(self, world: World, rng: np.random.Generator) -> World:
        """Close links at random, except those of a random spanning tree."""
        links = adjacency(world.destinations)
        links.data = rng.uniform(1, 2, links.nnz)  # weights, so that the lightest tree is a random one
        spared = minimum_spanning_tree(links).tocoo()
        walled = rng.random(links.nnz) < self.walls
        is_walled = np.zeros((len(world.layout),) * 2, dtype=bool)
        is_walled[links.row[walled], links.col[walled]] = True
        is_walled |= is_walled.T
        is_walled[spared.row, spared.col] = is_walled[spared.col, spared.row] = False
        here = np.arange(len(world.layout))[:, None]
        wall = is_walled[here, world.destinations] & (world.destinations != NO_LINK)
        return World(np.where(wall, NO_LINK, world.destinations), world.layout)


def keep_places(world: World, kept: BoolArray) -> World:
    """A world with some of the places of another, numbered anew.

    Args:
        world: The world.
        kept: Whether each place is kept, boolean, (places,).
    """
    number = np.where(kept, kept.cumsum() - 1, NO_LINK)
    destinations = world.destinations[kept]
    linked = destinations != NO_LINK
    return World(np.where(linked, number[destinations], NO_LINK), world.layout[kept])


def adjacency(destinations: IntArray) -> coo_array:
    """Which places are linked: 1 for every pair, sparse and upper triangular, (places, places)."""
    start, action = np.nonzero(destinations != NO_LINK)
    end = destinations[start, action]
    once = start < end
    return coo_array((np.ones(once.sum()), (start[once], end[once])), shape=(len(destinations),) * 2)
