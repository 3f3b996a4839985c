"""The numbers behind the figures, against hand-computed cases."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from tem_vae.data import Truth, Walks
from tem_vae.geometry import Pseudometric
from tem_vae.model import MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae
from tem_vae.report.action_phases import find_loops, measure_action_phases, wrap
from tem_vae.report.figures.accuracy import bin_accuracy, recall_experience
from tem_vae.report.figures.distances import draw_pairs
from tem_vae.report.figures.path_integration import measure_drift
from tem_vae.report.figures.rate_maps import choose_targets, rate_map, to_cells
from tem_vae.report.figures.training import find_lock_in, measure_training
from tem_vae.report.intervals import clustered_shares
from tem_vae.report.table import Table, flatten_array
from tem_vae.report.walk_trace import name_kinds
from tem_vae.runs.history import Series

ACTIONS = ("stay", "up", "down", "left", "right")
MOVES = torch.tensor([[0, 0], [0, 1], [0, -1], [-1, 0], [1, 0]])


def walk_of(actions: list[int]) -> Walks:
    """A walk on an endless lattice, without percepts."""
    taken = torch.tensor([actions])
    origin = torch.zeros(1, 1, 2, dtype=torch.int64)
    positions = torch.cat([origin, MOVES[taken].cumsum(dim=1)], dim=1)
    places = positions[..., 0] * 1000 + positions[..., 1]
    places = torch.unique(places, return_inverse=True)[1]
    nothing = torch.zeros(1, len(actions) + 1, 1)
    truth = Truth(places, torch.zeros_like(places), positions.float())
    return Walks(nothing, taken, torch.ones(places.shape, dtype=torch.bool), truth)


def model_with(rotations: torch.Tensor) -> TemVae:
    integrator = PathIntegrator(len(rotations), rotations.shape[1], initial_rotation=1.0)
    with torch.no_grad():
        integrator.rotations.copy_(rotations)
    return TemVae(
        MlpEncoder((1,), 4, 4),
        Pseudometric(4, 2, tau=1e-3, normalize=True),
        integrator,
        MemoryPrior(4, scale=0.5, initial_precision=4.0),
        MlpDecoder(2, 4, (1,), noise=1.0),
        scale=0.5,
    )


def test_experience_of_a_walk_by_hand() -> None:
    experience = recall_experience(np.array([[7, 8, 8, 7, 9, 7]]))
    assert experience.visit.tolist() == [[1, 1, 1, 2, 1, 3]]
    assert experience.age.tolist() == [[0, 0, 1, 3, 0, 2]]
    assert experience.links.tolist() == [[0.0, 0.0, 0.5, 0.5, 0.5, 1.0]]


def test_bins_are_closed_below_and_empty_ones_left_out() -> None:
    values = np.array([[1.0, 2.0, 3.0, 9.0]])
    scored = np.array([[True, True, False, True]])
    right = np.array([[True, False, True, True]])
    breakdown = bin_accuracy("x", values, np.array([1, 2, 3, 5, 9]), scored, {"a": right})
    assert breakdown.low.tolist() == [1, 2, 5]
    assert breakdown.mean.tolist() == [1, 2, 9]
    assert breakdown.moves.tolist() == [1, 1, 1]
    assert breakdown.shares["a"].value.tolist() == [1, 0, 1]


def test_intervals_are_wilsons_where_walks_do_not_differ() -> None:
    shares = clustered_shares(np.full((10, 1), 3.0), np.full((10, 1), 4.0))
    expected = stats.binomtest(30, 40).proportion_ci(method="wilson")
    assert (shares.low[0], shares.high[0]) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_intervals_of_walks_all_right_or_all_wrong_count_walks() -> None:
    """Every walk is one trial then, up to the correction W/(W − 1) of its variance."""
    successes = np.array([[8.0]] * 5 + [[0.0]] * 5)
    shares = clustered_shares(successes, np.full((10, 1), 8.0))
    expected = stats.binomtest(5, 10).proportion_ci(method="wilson")
    assert shares.low[0] == pytest.approx(expected.low, abs=0.02)
    assert shares.high[0] == pytest.approx(expected.high, abs=0.02)


def test_opposites_are_found_from_where_walks_return() -> None:
    assert find_loops(walk_of([1, 2, 3, 4, 0, 1, 3]), len(ACTIONS)) == ((1, 2), (3, 4), (0,))
    assert find_loops(walk_of([1]), len(ACTIONS)) == ()


@pytest.mark.parametrize(
    ("angle", "wrapped"), [(math.pi, math.pi), (-math.pi, math.pi), (7.0, 7.0 - 2 * math.pi)]
)
def test_wrap(angle: float, wrapped: float) -> None:
    assert wrap(np.array(angle)) == pytest.approx(wrapped)


def test_exact_inverses_leave_nothing_and_do_not_drift() -> None:
    generator = torch.Generator().manual_seed(0)
    up, right = torch.randn(2, 6, generator=generator)
    model = model_with(torch.stack([torch.zeros(6), up, -up, -right, right]))
    phases = measure_action_phases(model, walk_of([1, 2, 3, 4, 0]), ACTIONS)
    assert phases.worst_residual == pytest.approx(np.zeros(6), abs=1e-6)
    drift = measure_drift(model, phases, np.random.default_rng(0))
    assert drift is not None
    assert drift.distances.max() < 1e-4
    assert drift.bandwidth == pytest.approx(0.5)
    one_step = np.sqrt((2 - 2 * torch.cos(torch.stack([up, right]))).mean(dim=1).numpy()).mean()
    assert drift.one_step == pytest.approx(one_step, abs=1e-5)


def test_a_channel_that_does_not_cancel_is_found_and_drifts_as_its_residual_says() -> None:
    up = torch.tensor([0.3, 0.3])
    down = torch.tensor([-0.3, 0.7])
    model = model_with(torch.stack([torch.zeros(2), up, down, up, down]))
    phases = measure_action_phases(model, walk_of([1, 2, 3, 4, 0]), ACTIONS)
    assert phases.cancels.tolist() == [True, False]
    assert phases.worst_residual == pytest.approx(np.array([0.0, 1.0]), abs=1e-6)
    drift = measure_drift(model, phases, np.random.default_rng(0))
    assert drift is not None
    assert drift.distances[0] == pytest.approx(math.sqrt((2 - 2 * math.cos(1.0)) / 2), abs=1e-5)
    assert drift.cancelling.max() < 1e-4


def test_without_opposites_there_is_no_drift_to_measure() -> None:
    model = model_with(torch.randn(5, 4, generator=torch.Generator().manual_seed(0)))
    phases = measure_action_phases(model, walk_of([1]), ACTIONS)
    assert phases.worst_residual.tolist() == [0, 0, 0, 0]
    assert measure_drift(model, phases, np.random.default_rng(0)) is None


def test_a_rate_is_the_mean_activity_where_the_walk_was() -> None:
    cells = np.array([[0, 0], [0, 0], [1, 2]])
    rates = rate_map(cells, np.array([1.0, 3.0, 5.0]), smoothing=0.0)
    np.testing.assert_equal(rates, [[2.0, np.nan, np.nan], [np.nan, np.nan, 5.0]])


def test_smoothing_keeps_a_constant_rate_whatever_the_occupancy() -> None:
    cells = np.random.default_rng(0).integers(0, 6, (80, 2))
    rates = rate_map(cells, np.full(80, 0.7))
    assert np.nanmax(np.abs(rates - 0.7)) < 1e-12


def test_cells_have_the_first_row_on_top() -> None:
    cells = to_cells(np.array([[0.0, 0.0], [2.0, 0.0], [0.0, -3.0]]))
    assert cells.tolist() == [[0, 0], [0, 2], [3, 0]]


@pytest.mark.parametrize(
    ("places", "chosen"), [([5], [5]), ([3, 9, 3], [3, 9]), (list(range(11)), [2, 4, 6, 8])]
)
def test_targets_are_places_seen_spread_evenly(places: list[int], chosen: list[int]) -> None:
    assert choose_targets(np.array(places)).tolist() == chosen


def test_pairs_are_of_two_arrivals_each_once() -> None:
    arrivals = np.array([[True, False, True, True], [True, False, False, False]])
    walk, first, second = draw_pairs(arrivals, np.random.default_rng(0))
    assert set(zip(walk.tolist(), first.tolist(), second.tolist(), strict=True)) == {
        (0, 0, 2),
        (0, 0, 3),
        (0, 2, 3),
    }
    assert len(walk) == 3


def test_kinds_of_steps_by_name() -> None:
    """Round a square: the closing link is walked for the first time, into a known place."""
    kinds = name_kinds(torch.tensor([[0, 1, 1, 3, 2, 0, 1]]))
    assert kinds == (
        "start",
        "first visit",
        "stay",
        "first visit",
        "first visit",
        "zero-shot link",
        "revisit",
    )


def test_lock_in_is_where_accuracy_comes_to_stay_near_the_best() -> None:
    updates = np.array([200, 400, 600, 800])
    assert find_lock_in(Series(updates, np.array([0.2, 0.91, 1.0, 0.95]))) == 400
    assert find_lock_in(Series(updates, np.array([1.0, 0.5, 0.95, 1.0]))) == 600
    assert find_lock_in(Series(updates, np.array([1.0, 1.0, 1.0, 0.99]))) == 200
    assert find_lock_in(Series(updates, np.array([0.2, 0.91, 1.0, 0.5]))) is None
    assert find_lock_in(None) is None
    assert find_lock_in(Series(np.array([200]), np.array([0.0]))) is None


def test_history_is_read_without_gaps_and_nan(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("update,elbo/elbo,elbo/kl,other\n9,-3.5,,1\n19,nan,2,1\n")
    history = measure_training(path)
    assert history.series["elbo/elbo"].values.tolist() == [-3.5]
    assert history.series["elbo/kl"].updates.tolist() == [19]
    assert set(history.series) == {"elbo/elbo", "elbo/kl"}
    assert measure_training(path.with_name("none.csv")).series == {}


def test_tables_refuse_columns_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"equally long.*'a': 2, 'b': 3"):
        Table("t", {"a": np.zeros(2), "b": np.zeros(3)})


def test_an_array_in_long_form_has_a_row_a_value() -> None:
    table = flatten_array("t", np.array([[1.5, 2.5]]), ("row", "column"), "value")
    assert {name: column.tolist() for name, column in table.columns.items()} == {
        "row": [0, 0],
        "column": [0, 1],
        "value": [1.5, 2.5],
    }
