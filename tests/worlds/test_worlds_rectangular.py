"""Rectangles."""

import numpy as np
import pytest

from tem_vae.data import RectangularWorlds
from tem_vae.worlds import NO_LINK

STAY, UP, DOWN, LEFT, RIGHT = range(5)


def test_links_of_a_small_rectangle() -> None:
    worlds = RectangularWorlds((2, 2), (3, 3)).sample(1, np.random.default_rng(0))
    # 0 1 2
    # 3 4 5
    assert worlds.sizes.tolist() == [6]
    assert worlds.destinations[0, 4].tolist() == [4, 1, NO_LINK, 3, 5]
    assert worlds.destinations[0, 0].tolist() == [0, NO_LINK, 3, NO_LINK, 1]


def test_opposite_actions_undo_each_other_in_every_world() -> None:
    worlds = RectangularWorlds((1, 6), (2, 7)).sample(50, np.random.default_rng(1))
    for world, size in enumerate(worlds.sizes):
        destinations = worlds.destinations[world]
        for action, opposite in ((STAY, STAY), (UP, DOWN), (LEFT, RIGHT)):
            there = destinations[:size, action]
            open_places = np.flatnonzero(there != NO_LINK)
            np.testing.assert_array_equal(destinations[there[open_places], opposite], open_places)


def test_layout_places_linked_neighbors_one_apart() -> None:
    worlds = RectangularWorlds((4, 4), (5, 5)).sample(1, np.random.default_rng(0))
    there = worlds.destinations[0, :, RIGHT]
    here = np.flatnonzero(there != NO_LINK)
    np.testing.assert_array_equal(
        worlds.layout[0, there[here]] - worlds.layout[0, here], [[1, 0]] * len(here)
    )


def test_sizes_reach_both_ends_of_the_range() -> None:
    worlds = RectangularWorlds((2, 4), (1, 1)).sample(200, np.random.default_rng(2))
    assert set(worlds.sizes) == {2, 3, 4}


@pytest.mark.parametrize("height", [(0, 3), (4, 3)])
def test_an_impossible_range_is_refused(height: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"height must be a range \[min, max\] with 1 <= min <= max, got"):
        RectangularWorlds(height, (3, 3))
