"""Rectangles with walls and obstacles."""

import numpy as np
import pytest

from tem_vae.data import ObstructedWorlds, RectangularWorlds, Worlds
from tem_vae.worlds import NO_LINK


def draw(obstacles: float, walls: float, batch: int = 30, side: int = 6) -> Worlds:
    source = ObstructedWorlds((side, side), (side, side), obstacles, walls)
    return source.sample(batch, np.random.default_rng(0))


def count_links(worlds: Worlds) -> np.ndarray:
    """Links of every world, each counted once, without those that stay."""
    return (worlds.destinations[..., 1:] != NO_LINK).sum(axis=(1, 2)) // 2


def test_without_walls_and_obstacles_a_rectangle_is_left() -> None:
    worlds = draw(0.0, 0.0, batch=1)
    plain = RectangularWorlds((6, 6), (6, 6)).sample(1, np.random.default_rng(0))
    np.testing.assert_array_equal(worlds.destinations, plain.destinations)
    np.testing.assert_array_equal(worlds.layout, plain.layout)


def test_walls_stand_in_both_directions() -> None:
    worlds = draw(0.1, 0.5)
    opposite = [0, 2, 1, 4, 3]
    for destinations in worlds.destinations:
        start, action = np.nonzero(destinations != NO_LINK)
        end = destinations[start, action]
        np.testing.assert_array_equal(destinations[end, np.take(opposite, action)], start)


def test_a_world_without_spare_links_is_a_tree() -> None:
    worlds = draw(0.15, 1.0)
    np.testing.assert_array_equal(count_links(worlds), worlds.sizes - 1)


def test_share_of_walls_among_spare_links() -> None:
    worlds = draw(0.0, 0.3, batch=400)
    spare = 60 - 35  # links of a 6 × 6 rectangle, less those of a spanning tree
    left = (count_links(worlds) - 35) / spare
    standard_error = np.sqrt(0.3 * 0.7 / (400 * spare))
    assert abs(left.mean() - 0.7) < 4 * standard_error


def test_mazes_differ() -> None:
    destinations = draw(0.0, 1.0, batch=10).destinations
    assert len({world.tobytes() for world in destinations}) == 10


def test_obstacles_take_their_share_and_what_they_cut_off() -> None:
    worlds = draw(0.25, 0.0, batch=200)
    assert worlds.sizes.max() == 27
    assert (worlds.sizes >= 9).all()
    assert np.mean(worlds.sizes == 27) > 0.2


def test_places_keep_their_position_in_the_rectangle() -> None:
    worlds = draw(0.3, 0.0, batch=5)
    for layout, size in zip(worlds.layout, worlds.sizes, strict=True):
        positions = {tuple(position) for position in layout[:size].tolist()}
        assert len(positions) == size
        assert all(0 <= x <= 5 and -5 <= y <= 0 for x, y in positions)


@pytest.mark.parametrize(("obstacles", "walls", "name"), [(1.0, 0.0, "obstacles"), (0.0, 1.5, "walls")])
def test_shares_out_of_range_are_refused(obstacles: float, walls: float, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a .* got 1"):
        ObstructedWorlds((3, 3), (3, 3), obstacles, walls)
