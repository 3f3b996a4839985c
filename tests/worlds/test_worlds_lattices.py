"""Hexagons and rings, and what every kind of world has in common."""

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from tem_vae.data import (
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RelabelledWorlds,
    RingWorlds,
    TorusWorlds,
    WorldSource,
)
from tem_vae.worlds import NO_LINK, ActionMismatchError, Worlds, renumber_actions

SOURCES: list[WorldSource] = [
    RectangularWorlds((2, 5), (3, 6)),
    HexagonalWorlds((1, 4)),
    RingWorlds((3, 9)),
    ObstructedWorlds((4, 7), (4, 7), obstacles=0.2, walls=0.5),
    TorusWorlds((3, 5), (3, 6)),
    RelabelledWorlds(RingWorlds((3, 9)), ("stay", "jump", "counterclockwise", "clockwise")),
]


def name(source: WorldSource) -> str:
    return type(source).__name__


each_source = pytest.mark.parametrize("source", SOURCES, ids=name)


def draw(source: WorldSource, batch: int = 20) -> Worlds:
    return source.sample(batch, np.random.default_rng(0))


def links(worlds: Worlds, world: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, actions and destinations of every link of one world."""
    destinations = worlds.destinations[world, : worlds.sizes[world]]
    start, action = np.nonzero(destinations != NO_LINK)
    return start, action, destinations[start, action]


@each_source
def test_every_place_can_be_reached_and_stayed_at(source: WorldSource) -> None:
    worlds = draw(source)
    for world, size in enumerate(worlds.sizes):
        start, _, end = links(worlds, world)
        assert end.max() < size
        adjacency = np.zeros((size, size))
        adjacency[start, end] = 1
        assert connected_components(adjacency, directed=True, connection="strong")[0] == 1
        np.testing.assert_array_equal(worlds.destinations[world, :size, 0], np.arange(size))


@pytest.mark.parametrize("source", [s for s in SOURCES if not isinstance(s, TorusWorlds)], ids=name)
def test_links_have_length_one_in_the_plane(source: WorldSource) -> None:
    worlds = draw(source)
    for world in range(len(worlds.sizes)):
        start, action, end = links(worlds, world)
        moved = action != 0
        steps = worlds.layout[world, end[moved]] - worlds.layout[world, start[moved]]
        np.testing.assert_allclose(np.linalg.norm(steps, axis=-1), 1.0)


@each_source
def test_what_lies_beyond_a_smaller_world_is_no_place(source: WorldSource) -> None:
    worlds = draw(source)
    for world, size in enumerate(worlds.sizes):
        beyond = worlds.destinations[world, size:]
        assert not np.isin(
            np.arange(size, len(worlds.layout[world])), worlds.destinations[world, :size]
        ).any()
        assert beyond.size == 0 or type(source) is RectangularWorlds or (beyond == NO_LINK).all()


@each_source
def test_the_same_seed_draws_the_same_worlds(source: WorldSource) -> None:
    first, second = draw(source), draw(source)
    np.testing.assert_array_equal(first.destinations, second.destinations)
    np.testing.assert_array_equal(first.sizes, second.sizes)


class TestHexagons:
    @pytest.mark.parametrize("radius", [1, 2, 3, 5])
    def test_number_of_places_and_links(self, radius: int) -> None:
        worlds = draw(HexagonalWorlds((radius, radius)), batch=1)
        assert worlds.sizes.tolist() == [3 * radius * (radius + 1) + 1]
        moves = (worlds.destinations[0, :, 1:] != NO_LINK).sum()
        assert moves == 2 * (9 * radius**2 + 3 * radius)  # undirected links of a hexagonal patch

    def test_an_action_leads_in_its_direction(self) -> None:
        source = HexagonalWorlds((3, 3))
        worlds = draw(source, batch=1)
        degrees = dict(zip(source.actions[1:], range(0, 360, 60), strict=True))
        start, action, end = links(worlds, 0)
        step = worlds.layout[0, end] - worlds.layout[0, start]
        for name, angle in degrees.items():
            taken = action == source.actions.index(name)
            direction = [np.cos(np.radians(angle)), np.sin(np.radians(angle))]
            np.testing.assert_allclose(step[taken], np.tile(direction, (taken.sum(), 1)), atol=1e-12)

    def test_three_turns_of_120_degrees_lead_back(self) -> None:
        source = HexagonalWorlds((4, 4))
        destinations = draw(source, batch=1).destinations[0]
        center = len(destinations) // 2
        place = center
        for name in ("east", "northwest", "southwest"):
            place = destinations[place, source.actions.index(name)]
        assert place == center

    def test_radii_are_drawn_evenly_from_the_range(self) -> None:
        sizes = draw(HexagonalWorlds((1, 3)), batch=3000).sizes
        counts = np.array([(sizes == n).sum() for n in (7, 19, 37)])
        assert counts.sum() == 3000
        deviation = np.sqrt(3000 * (1 / 3) * (2 / 3))
        assert (abs(counts - 1000) < 4 * deviation).all()

    def test_a_radius_of_zero_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"radius must be a range .* got \[0, 2\]"):
            HexagonalWorlds((0, 2))


class TestRings:
    def test_as_many_steps_as_places_lead_round(self) -> None:
        worlds = draw(RingWorlds((7, 7)), batch=1)
        place, visited = 0, []
        for _ in range(7):
            place = int(worlds.destinations[0, place, 1])
            visited.append(place)
        assert sorted(visited) == list(range(7))
        assert place == 0
        assert worlds.destinations[0, worlds.destinations[0, 3, 1], 2] == 3

    def test_clockwise_is_clockwise(self) -> None:
        layout = draw(RingWorlds((8, 8)), batch=1).layout[0]
        (x, y), (next_x, next_y) = layout[0], layout[1]
        assert x * next_y - y * next_x < 0

    def test_two_places_make_no_ring(self) -> None:
        with pytest.raises(ValueError, match=r"places must be .* 3 <= min <= max, got \[2, 5\]"):
            RingWorlds((2, 5))


class TestRenumberedActions:
    def test_actions_are_followed_by_name(self) -> None:
        source = RingWorlds((5, 5))
        actions = ("stay", "jump", "counterclockwise", "clockwise")
        renumbered = draw(renumber_actions(source, actions), batch=2).destinations
        original = draw(source, batch=2).destinations
        for number, name in enumerate(actions):
            if name == "jump":
                assert (renumbered[..., number] == NO_LINK).all()
            else:
                np.testing.assert_array_equal(
                    renumbered[..., number], original[..., source.actions.index(name)]
                )

    def test_a_source_in_order_is_left_as_it_is(self) -> None:
        source = RingWorlds((5, 5))
        assert renumber_actions(source, ["stay", "clockwise", "counterclockwise"]) is source

    def test_unknown_actions_are_named(self) -> None:
        with pytest.raises(ActionMismatchError, match=r"east, northeast.* trained with stay, up, down"):
            renumber_actions(HexagonalWorlds((1, 1)), RectangularWorlds.actions)
