"""How walkers choose their actions."""

import numpy as np
import pytest

from tem_vae.data import (
    HexagonalWorlds,
    MomentumPolicy,
    ObstructedWorlds,
    Policy,
    RectangularWorlds,
    RingWorlds,
    RunsPolicy,
    TorusWorlds,
)
from tem_vae.worlds import NO_LINK, WorldSource

STAY, UP, DOWN, LEFT, RIGHT = range(5)
each_policy = pytest.mark.parametrize("policy", [MomentumPolicy(0.5), RunsPolicy((1, 4))], ids=repr)


@each_policy
@pytest.mark.parametrize(
    "source",
    [
        RectangularWorlds((2, 5), (2, 5)),
        HexagonalWorlds((1, 3)),
        RingWorlds((3, 9)),
        ObstructedWorlds((4, 7), (4, 7), obstacles=0.2, walls=1.0),
        TorusWorlds((3, 5), (3, 5)),
    ],
    ids=lambda source: type(source).__name__,
)
def test_walks_follow_links(policy: Policy, source: WorldSource) -> None:
    rng = np.random.default_rng(3)
    worlds = source.sample(20, rng)
    places, actions = policy.walk(worlds, 100, rng)
    assert places.shape == (20, 100)
    assert actions.shape == (20, 99)
    for world in range(20):
        reached = worlds.destinations[world, places[world, :-1], actions[world]]
        np.testing.assert_array_equal(reached, places[world, 1:])
        assert places[world].max() < worlds.sizes[world]


@each_policy
def test_walks_start_at_every_place_alike(policy: Policy) -> None:
    rng = np.random.default_rng(0)
    places, _ = policy.walk(RectangularWorlds((2, 2), (3, 3)).sample(3000, rng), 2, rng)
    counts = np.bincount(places[:, 0], minlength=6)
    assert (abs(counts - 500) < 4 * np.sqrt(3000 * (1 / 6) * (5 / 6))).all()


@each_policy
def test_the_same_seed_walks_the_same_way(policy: Policy) -> None:
    worlds = TorusWorlds((3, 5), (3, 5)).sample(5, np.random.default_rng(0))
    first, second = (policy.walk(worlds, 50, np.random.default_rng(1)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


@each_policy
def test_a_walk_of_one_step_has_no_action(policy: Policy) -> None:
    rng = np.random.default_rng(5)
    worlds = RectangularWorlds((2, 2), (2, 2)).sample(3, rng)
    places, actions = policy.walk(worlds, 1, rng)
    assert places.shape == (3, 1)
    assert actions.shape == (3, 0)


@each_policy
def test_a_walker_in_a_world_of_one_place_stays(policy: Policy) -> None:
    rng = np.random.default_rng(6)
    worlds = RectangularWorlds((1, 1), (1, 1)).sample(1, rng)
    places, actions = policy.walk(worlds, 10, rng)
    assert not places.any()
    assert not actions.any()


def test_momentum_keeps_directions_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    # On a long corridor walls are rare: after a move right, right again with 0.6 + 0.4/3 (stay, left, right).
    worlds = RectangularWorlds((1, 1), (2000, 2000)).sample(40, rng)
    _, actions = MomentumPolicy(0.6).walk(worlds, 500, rng)
    before, after = actions[:, :-1], actions[:, 1:]
    kept = after[before == RIGHT] == RIGHT
    expected, error = 0.6 + 0.4 / 3, np.sqrt(0.25 / len(kept))
    assert abs(kept.mean() - expected) < 5 * error


def test_draws_of_momentum_never_change() -> None:
    # Seeds of earlier runs must walk as they did then.
    rng = np.random.default_rng(11)
    places, actions = MomentumPolicy(0.7).walk(RectangularWorlds((3, 4), (3, 4)).sample(2, rng), 12, rng)
    assert actions.tolist() == [[1, 0, 4, 2, 2, 1, 1, 4, 0, 2, 2], [2, 4, 4, 1, 3, 3, 0, 0, 0, 2, 2]]
    assert places.tolist() == [[4, 0, 0, 1, 5, 9, 5, 1, 2, 2, 6, 10], [0, 3, 4, 5, 2, 1, 0, 0, 0, 0, 3, 6]]


def lengths_of_runs(actions: np.ndarray) -> np.ndarray:
    """How many times in a row one action was taken, for the runs of one walk except the last."""
    turns = np.flatnonzero(np.diff(actions)) + 1
    return np.diff(turns, prepend=0)


class TestRuns:
    def test_on_a_torus_runs_have_the_lengths_that_were_asked_for(self) -> None:
        rng = np.random.default_rng(0)
        _, actions = RunsPolicy((3, 3)).walk(TorusWorlds((9, 9), (9, 9)).sample(50, rng), 301, rng)
        lengths = np.concatenate([lengths_of_runs(walk) for walk in actions])
        assert (lengths % 3 == 0).all()  # a run may follow another in the same direction
        directions = actions[:, ::3]
        again = directions[:, 1:] == directions[:, :-1]
        assert abs(again.mean() - 1 / 4) < 4 * np.sqrt(3 / 16 / again.size)

    def test_directions_and_lengths_are_drawn_evenly(self) -> None:
        rng = np.random.default_rng(1)
        _, actions = RunsPolicy((1, 3)).walk(TorusWorlds((9, 9), (9, 9)).sample(3000, rng), 4, rng)
        counts = np.bincount(actions[:, 0], minlength=5)
        assert counts[STAY] == 0
        assert (abs(counts[1:] - 750) < 4 * np.sqrt(3000 * (1 / 4) * (3 / 4))).all()
        # The second step differs from the first if the first run has length 1 and the next another direction.
        turned = actions[:, 1] != actions[:, 0]
        assert abs(turned.mean() - 1 / 3 * 3 / 4) < 4 * np.sqrt(3 / 16 / 3000)

    def test_lengths_are_drawn_evenly_on_a_logarithmic_scale(self) -> None:
        rng = np.random.default_rng(1)
        worlds = TorusWorlds((9, 9), (9, 9)).sample(3000, rng)
        _, actions = RunsPolicy((1, 3), "log_uniform").walk(worlds, 4, rng)
        # A length of 1 has the share log 2 / log 4 of the range from 1 to 4.
        turned = actions[:, 1] != actions[:, 0]
        assert abs(turned.mean() - 1 / 2 * 3 / 4) < 4 * np.sqrt(1 / 4 / 3000)
        _, straight = RunsPolicy((3, 3), "log_uniform").walk(worlds, 4, rng)
        assert (straight == straight[:, :1]).all()

    def test_a_run_ends_at_a_wall(self) -> None:
        rng = np.random.default_rng(2)
        worlds = RectangularWorlds((1, 1), (5, 5)).sample(200, rng)
        places, actions = RunsPolicy((100, 100)).walk(worlds, 50, rng)
        # Runs longer than the corridor lead from end to end: only there does a walker turn.
        turns = actions[:, 1:] != actions[:, :-1]
        assert np.isin(places[:, 1:-1][turns], [0, 4]).all()
        assert set(np.unique(actions)) == {LEFT, RIGHT}
        at_end = np.isin(places[:, 1:-1], [0, 4])
        np.testing.assert_array_equal(turns, at_end)

    def test_a_run_into_a_wall_leaves_nothing_for_the_next(self) -> None:
        # From a corner of a large square, the run after the one that ends at the wall has its full length.
        rng = np.random.default_rng(3)
        worlds = RectangularWorlds((30, 30), (30, 30)).sample(300, rng)
        places, actions = RunsPolicy((4, 4)).walk(worlds, 100, rng)
        for walk, steps in zip(places, actions, strict=True):
            turns = np.flatnonzero(np.diff(steps)) + 1
            starts, ends = turns[:-1], turns[1:]
            cut = (ends - starts) % 4 != 0
            stopped = worlds.destinations[0, walk[ends], steps[ends - 1]] == NO_LINK
            assert stopped[cut].all()

    @pytest.mark.parametrize("lengths", [(0, 3), (4, 3)])
    def test_an_impossible_range_is_refused(self, lengths: tuple[int, int]) -> None:
        with pytest.raises(ValueError, match=r"lengths must be a range \[min, max\] with 1 <= min"):
            RunsPolicy(lengths)
