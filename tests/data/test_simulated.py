"""Walks drawn as they are needed."""

import numpy as np
import pytest

from tem_vae.data import MomentumPolicy, RunsPolicy, SimulatedWalks, Symbols, TorusWorlds


def draw(blank: float, batch_size: int = 200) -> np.ndarray:
    """The classes seen on walks over a torus whose places hold 5 classes."""
    symbols = Symbols(5, percept_dim=4, relevant_dim=2, seed=0)
    source = SimulatedWalks(
        TorusWorlds((5, 5), (5, 5)),
        symbols,
        RunsPolicy((1, 4)),
        "test",
        batch_size,
        walk_length=40,
        blank=blank,
    )
    return source.sample(np.random.default_rng(0)).classes.numpy()


def test_a_share_of_the_places_is_blank_and_the_others_hold_the_other_classes() -> None:
    starts = draw(blank=0.5, batch_size=4000)[:, 0]
    counts = np.bincount(starts, minlength=5)
    for count, probability in zip(counts, [1 / 2, 1 / 8, 1 / 8, 1 / 8, 1 / 8], strict=True):
        deviation = np.sqrt(4000 * probability * (1 - probability))
        assert abs(count - 4000 * probability) < 4 * deviation


def test_every_place_can_be_blank() -> None:
    assert not draw(blank=1.0).any()


def test_without_blank_places_all_classes_are_alike() -> None:
    starts = draw(blank=0.0, batch_size=4000)[:, 0]
    counts = np.bincount(starts, minlength=5)
    assert (abs(counts - 800) < 4 * np.sqrt(4000 * (1 / 5) * (4 / 5))).all()


def test_draws_without_blank_places_never_change() -> None:
    # Seeds of earlier runs must see what they saw then: contents are drawn after the worlds, before the walk.
    source = SimulatedWalks(
        TorusWorlds((3, 5), (3, 5)),
        Symbols(5, percept_dim=4, relevant_dim=2, seed=0),
        MomentumPolicy(0.5),
        "train",
        batch_size=6,
        walk_length=20,
    )
    walks, rng = source.sample(np.random.default_rng(7)), np.random.default_rng(7)
    worlds = source.worlds.sample(6, rng)
    contents = rng.integers(5, size=worlds.destinations.shape[:2])
    places, actions = source.policy.walk(worlds, 20, rng)
    np.testing.assert_array_equal(walks.places, places)
    np.testing.assert_array_equal(walks.actions, actions)
    np.testing.assert_array_equal(walks.classes, np.take_along_axis(contents, places, axis=1))


@pytest.mark.parametrize("blank", [0.0, 0.5])
def test_a_place_holds_the_same_on_every_visit(blank: float) -> None:
    symbols = Symbols(5, percept_dim=4, relevant_dim=2, seed=0)
    torus = TorusWorlds((3, 3), (3, 3))
    source = SimulatedWalks(
        torus, symbols, RunsPolicy((1, 4)), "test", batch_size=10, walk_length=60, blank=blank
    )
    walks = source.sample(np.random.default_rng(0))
    for places, classes in zip(walks.places.tolist(), walks.classes.tolist(), strict=True):
        assert len(set(zip(places, classes, strict=True))) == len(set(places))


def slipping(slips: float) -> SimulatedWalks:
    """Walks over a torus, recorded badly."""
    return SimulatedWalks(
        TorusWorlds((5, 5), (5, 5)),
        Symbols(5, percept_dim=4, relevant_dim=2, seed=0),
        RunsPolicy((1, 4)),
        "test",
        batch_size=50,
        walk_length=200,
        slips=slips,
    )


def test_slips_change_what_is_recorded_and_not_the_walk() -> None:
    clean, slipped = (slipping(share).sample(np.random.default_rng(0)) for share in (0.0, 0.2))
    assert clean.truth.actions is None
    assert (slipped.truth.actions == clean.actions).all()
    assert (slipped.places == clean.places).all()
    # An action drawn evenly from all may be the one that happened.
    share, kinds = 0.2 * (1 - 1 / len(slipping(0.2).actions)), slipped.actions.numel()
    wrong = (slipped.actions != clean.actions).sum().item()
    assert abs(wrong - share * kinds) < 4 * np.sqrt(kinds * share * (1 - share))
    assert slipped.beginning(7).truth.actions.shape == (50, 6)
