"""Experience, bins and intervals, against hand-computed cases."""

import numpy as np
import pytest
from scipy import stats

from tem_vae.report.figures.accuracy import bin_accuracy, recall_experience
from tem_vae.report.intervals import clustered_shares


def test_experience_of_a_walk_by_hand() -> None:
    """The second walk is the beginning of the first, padded."""
    places = np.array([[7, 8, 8, 7, 9, 7], [7, 8, 8, 0, 0, 0]])
    mask = np.array([[True] * 6, [True] * 3 + [False] * 3])
    experience = recall_experience(places, mask)
    assert experience.visit.tolist() == [[1, 1, 1, 2, 1, 3], [1, 1, 1, 0, 0, 0]]
    assert experience.age.tolist() == [[0, 0, 1, 3, 0, 2], [0, 0, 1, 0, 0, 0]]
    assert experience.links.tolist() == [[0.0, 0.0, 0.5, 0.5, 0.5, 1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]


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
