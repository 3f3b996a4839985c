"""Whether path integration can tell the places of a world apart."""

import itertools

import numpy as np
import pytest

from tem_vae.worlds import (
    NO_LINK,
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RingWorlds,
    TorusWorlds,
    find_contradiction,
)


def world(places: int, links: list[tuple[int, int, int]]) -> np.ndarray:
    """Destinations by (start, action, end); action 0 stays."""
    destinations = np.full((places, 1 + max(action for _, action, _ in links)), NO_LINK)
    destinations[:, 0] = np.arange(places)
    for start, action, end in links:
        destinations[start, action] = end
    return destinations


def tree(depth: int) -> np.ndarray:
    """Actions 1 and 2 lead to the children, 3 to the parent."""
    parents = range(2**depth - 1)
    children = [(p, side, 2 * p + side) for p in parents for side in (1, 2)]
    return world(2 ** (depth + 1) - 1, children + [(child, 3, p) for p, _, child in children])


@pytest.mark.parametrize("depth", [1, 4])
def test_in_a_tree_the_links_to_two_children_contradict_each_other(depth: int) -> None:
    found = find_contradiction(tree(depth))
    assert found is not None
    one, other = found
    assert one.start == other.start
    assert {one.action, other.action} == {1, 2}


@pytest.mark.parametrize(
    "source",
    [
        RectangularWorlds((3, 6), (2, 5)),
        TorusWorlds((3, 5), (4, 7)),
        HexagonalWorlds((2, 3)),
        ObstructedWorlds((6, 6), (6, 6), obstacles=0.2, walls=0.7),
        RingWorlds((5, 9)),
    ],
)
def test_the_worlds_of_this_package_do_not_contradict_themselves(source) -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        worlds = source.sample(1, rng)
        assert find_contradiction(worlds.destinations[0, : worlds.sizes[0]]) is None


def test_a_round_trip_is_no_contradiction_and_a_short_cut_in_it_may_be_one() -> None:
    around = [(n, 1, (n + 1) % 6) for n in range(6)]
    assert find_contradiction(world(6, around)) is None  # six times the action is a whole turn
    assert find_contradiction(world(6, [*around, (0, 2, 3)])) is None
    # An action that leads two places on here and three there makes one step a whole turn.
    assert find_contradiction(world(6, [*around, (0, 2, 2), (1, 2, 4)])) is not None


def test_what_is_found_agrees_with_trying_all_rotations() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        links = [(n, int(rng.integers(1, 3)), (n + 1) % 5) for n in range(5)]
        links += [(int(start), 3, int(rng.integers(5))) for start in rng.permutation(5)[:2]]
        destinations = world(5, links)
        found.append(find_contradiction(destinations) is not None)
        assert found[-1] != can_tell_apart(destinations)
    assert 0 < sum(found) < 30


def can_tell_apart(destinations: np.ndarray) -> bool:
    """Whether each pair of places has other codes where actions rotate by some parts of a turn."""
    starts, actions = np.nonzero(destinations[:, 1:] != NO_LINK)
    apart = np.eye(len(destinations), dtype=bool)
    for parts in range(2, 13):
        rotations = np.array(list(itertools.product(range(parts), repeat=destinations.shape[1] - 1)))
        codes = np.zeros((len(rotations), len(destinations)), dtype=np.int64)
        for start in range(len(destinations) - 1):  # the first five links lead all around
            by = actions[(starts == start) & (destinations[starts, actions + 1] == start + 1)][0]
            codes[:, start + 1] = codes[:, start] + rotations[:, by]
        ends = destinations[starts, actions + 1]
        fits = ((codes[:, starts] + rotations[:, actions] - codes[:, ends]) % parts == 0).all(axis=1)
        apart |= ((codes[fits, :, None] - codes[fits, None, :]) % parts != 0).any(axis=0)
    return bool(apart.all())
