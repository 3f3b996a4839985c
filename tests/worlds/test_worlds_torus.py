"""Rectangles whose opposite edges are joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.data import RectangularWorlds, TorusWorlds
from tem_vae.worlds import NO_LINK

STAY, UP, DOWN, LEFT, RIGHT = range(5)
SIDES = st.integers(3, 12)
ranges = st.tuples(SIDES, SIDES).map(lambda sides: (min(sides), max(sides)))


def torus(height: int, width: int) -> np.ndarray:
    """Where every action leads from every place, (places, actions)."""
    source = TorusWorlds((height, height), (width, width))
    return source.sample(1, np.random.default_rng(0)).destinations[0]


def go(links: np.ndarray, *actions: int) -> np.ndarray:
    """Where a sequence of actions leads from every place."""
    places = np.arange(len(links))
    for action in actions:
        places = links[places, action]
    return places


def test_links_of_a_small_torus() -> None:
    # 0 1 2 3
    # 4 5 6 7
    # 8 9 10 11
    links = torus(3, 4)
    assert links[5].tolist() == [5, 1, 9, 4, 6]
    assert links[3].tolist() == [3, 11, 7, 2, 0]
    assert links[8].tolist() == [8, 4, 0, 11, 9]


@given(SIDES, SIDES)
def test_every_action_is_a_permutation_and_its_opposite_undoes_it(height: int, width: int) -> None:
    links, everywhere = torus(height, width), np.arange(height * width)
    assert (np.sort(links, axis=0) == everywhere[:, None]).all()
    for action, opposite in ((STAY, STAY), (UP, DOWN), (DOWN, UP), (LEFT, RIGHT), (RIGHT, LEFT)):
        np.testing.assert_array_equal(go(links, action, opposite), everywhere)


@given(SIDES, SIDES, st.lists(st.integers(0, 4), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_actions_does_not_matter(height: int, width: int, actions: list[int], random) -> None:
    links = torus(height, width)
    shuffled = random.sample(actions, len(actions))
    np.testing.assert_array_equal(go(links, *actions), go(links, *shuffled))


@given(SIDES, SIDES)
def test_once_round_comes_home_and_no_sooner(height: int, width: int) -> None:
    links, everywhere = torus(height, width), np.arange(height * width)
    for action, around in ((UP, height), (LEFT, width)):
        np.testing.assert_array_equal(go(links, *[action] * around), everywhere)
        for steps in range(1, around):
            assert (go(links, *[action] * steps) != everywhere).all()


@given(SIDES, SIDES)
def test_inside_a_torus_is_a_rectangle(height: int, width: int) -> None:
    rectangle = RectangularWorlds((height, height), (width, width)).sample(1, np.random.default_rng(0))
    links, inside = torus(height, width), rectangle.destinations[0]
    np.testing.assert_array_equal(links[inside != NO_LINK], inside[inside != NO_LINK])


@given(ranges, ranges)
def test_sizes_stay_in_their_ranges(height: tuple[int, int], width: tuple[int, int]) -> None:
    worlds = TorusWorlds(height, width).sample(20, np.random.default_rng(0))
    for links, layout, size in zip(worlds.destinations, worlds.layout, worlds.sizes, strict=True):
        rows, columns = 1 - layout[:size, 1].min(), 1 + layout[:size, 0].max()
        assert height[0] <= rows <= height[1]
        assert width[0] <= columns <= width[1]
        assert rows * columns == size
        assert ((links[:size] >= 0) & (links[:size] < size)).all()
        assert (links[size:] == NO_LINK).all()


def test_sizes_are_drawn_evenly() -> None:
    heights = TorusWorlds((3, 5), (3, 3)).sample(3000, np.random.default_rng(0)).sizes // 3
    counts = np.bincount(heights)[3:]
    deviation = np.sqrt(3000 * (1 / 3) * (2 / 3))
    assert (abs(counts - 1000) < 4 * deviation).all()


@pytest.mark.parametrize(("height", "width", "name"), [((2, 5), (3, 3), "height"), ((3, 3), (4, 3), "width")])
def test_an_impossible_range_is_refused(height: tuple[int, int], width: tuple[int, int], name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be a range \[min, max\] with 3 <= min <= max, got"):
        TorusWorlds(height, width)
