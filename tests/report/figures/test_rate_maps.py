"""Rates, cells and the places whose retrieval is mapped, against hand-computed cases."""

import numpy as np
import pytest

from tem_vae.report.figures.rate_maps import choose_targets, link_length, rate_map, to_cells


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


def test_a_cell_is_as_long_as_a_usual_move_in_whatever_unit() -> None:
    places = np.array([0, 1, 1, 2, 3, 0])
    metres = np.array([[0, 0], [0.1, 0], [0.12, 0], [0.2, 0], [0.3, 0], [0, 0]])
    assert link_length(metres, places) == pytest.approx(0.1)
    assert link_length(1e6 * metres, places) == pytest.approx(1e5)
    metres[-1] = 1e6  # a mistake must not make a map without end
    assert to_cells(metres, link_length(metres, places)).max() <= 100


@pytest.mark.parametrize(
    ("places", "chosen"), [([5], [5]), ([3, 9, 3], [3, 9]), (list(range(11)), [2, 4, 6, 8])]
)
def test_targets_are_places_seen_spread_evenly(places: list[int], chosen: list[int]) -> None:
    assert choose_targets(np.array(places)).tolist() == chosen
