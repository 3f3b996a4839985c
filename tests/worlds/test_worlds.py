import numpy as np
import pytest

from tem_vae.data import MomentumPolicy, RectangularWorlds
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


def test_walks_follow_links() -> None:
    rng = np.random.default_rng(3)
    worlds = RectangularWorlds((2, 5), (2, 5)).sample(20, rng)
    places, actions = MomentumPolicy(0.5).walk(worlds, 100, rng)
    assert places.shape == (20, 100)
    assert actions.shape == (20, 99)
    for world in range(20):
        reached = worlds.destinations[world, places[world, :-1], actions[world]]
        np.testing.assert_array_equal(reached, places[world, 1:])
        assert places[world].max() < worlds.sizes[world]


def test_momentum_keeps_directions_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    # On a long corridor walls are rare: after a move right, right again with 0.6 + 0.4/3 (stay, left, right).
    worlds = RectangularWorlds((1, 1), (2000, 2000)).sample(40, rng)
    _, actions = MomentumPolicy(0.6).walk(worlds, 500, rng)
    before, after = actions[:, :-1], actions[:, 1:]
    kept = after[before == RIGHT] == RIGHT
    expected, error = 0.6 + 0.4 / 3, np.sqrt(0.25 / len(kept))
    assert abs(kept.mean() - expected) < 5 * error


def test_a_walk_of_one_step_has_no_action() -> None:
    rng = np.random.default_rng(5)
    worlds = RectangularWorlds((2, 2), (2, 2)).sample(3, rng)
    places, actions = MomentumPolicy(0.0).walk(worlds, 1, rng)
    assert places.shape == (3, 1)
    assert actions.shape == (3, 0)


def test_a_walker_in_a_world_of_one_place_stays() -> None:
    rng = np.random.default_rng(6)
    worlds = RectangularWorlds((1, 1), (1, 1)).sample(1, rng)
    places, actions = MomentumPolicy(0.5).walk(worlds, 10, rng)
    assert not places.any()
    assert not actions.any()
