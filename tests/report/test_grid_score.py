"""Autocorrelograms against a direct sum, grid scores against what an ideal ring has."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.report.grid_score import autocorrelogram, grid_scores

Map = npt.NDArray[np.float64]


def plane_waves(size: int, angles: tuple[int, ...], period: float) -> Map:
    """The sum of plane waves in directions given in degrees."""
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    directions = [math.radians(angle) for angle in angles]
    phases = [2 * math.pi / period * (math.cos(a) * x + math.sin(a) * y) for a in directions]
    return np.sum(np.cos(phases), axis=0)


def direct_correlation(rates: Map, down: int, right: int) -> tuple[float, int]:
    """Pearson correlation of all pairs of visited places one lag apart, and their number."""
    pairs = [
        (rates[r + down, c + right], rates[r, c])
        for r in range(rates.shape[0])
        for c in range(rates.shape[1])
        if 0 <= r + down < rates.shape[0] and 0 <= c + right < rates.shape[1]
    ]
    visited = [pair for pair in pairs if np.isfinite(pair).all()]
    if len(visited) < 3:
        return math.nan, len(visited)
    return float(np.corrcoef(np.array(visited).T)[0, 1]), len(visited)


@given(st.integers(0, 2**32 - 1), st.integers(-4, 4), st.integers(-5, 5))
def test_autocorrelogram_is_the_correlation_of_visited_pairs(seed: int, down: int, right: int) -> None:
    rng = np.random.default_rng(seed)
    rates = rng.normal(3.0, 1.0, (8, 9))
    rates[rng.random(rates.shape) < 0.1] = np.nan
    expected, pairs = direct_correlation(rates, down, right)
    value = autocorrelogram(rates)[7 + down, 8 + right]
    if pairs < 20:
        assert np.isnan(value)
    else:
        assert value == pytest.approx(expected, abs=1e-9)


def test_a_map_correlates_with_itself_at_lag_0_and_is_symmetric() -> None:
    correlogram = autocorrelogram(np.random.default_rng(0).normal(size=(12, 10)))
    assert correlogram[11, 9] == pytest.approx(1.0)
    np.testing.assert_allclose(correlogram, correlogram[::-1, ::-1], atol=1e-12)


def ring_of_symmetry(n: int) -> Map:
    """An autocorrelogram with a central peak and, beyond, correlations that go as cos(n angle)."""
    y, x = np.mgrid[-20:21, -20:21]
    around: Map = np.cos(n * np.arctan2(y, x)) - 0.01
    return np.where(np.hypot(x, y) < 5, 1.0, around)


@pytest.mark.parametrize(("n", "sixty", "ninety"), [(6, 2.0, -1.0), (4, -1.5, 2.0), (2, -1.0, -1.0)])
def test_scores_of_ideal_rings(n: int, sixty: float, ninety: float) -> None:
    """By hand: the correlation after a turn by a is cos(n a). Interpolation costs a few hundredths."""
    scores = grid_scores(ring_of_symmetry(n))
    assert scores is not None
    assert scores.sixty == pytest.approx(sixty, abs=0.05)
    assert scores.ninety == pytest.approx(ninety, abs=0.05)


@pytest.mark.parametrize(
    ("angles", "sixty", "ninety"),
    [
        pytest.param((0, 60, 120), (1.2, 2.0), (-1.0, 0.5), id="hexagonal"),
        pytest.param((0, 90), (-1.5, -0.5), (1.5, 2.0), id="square"),
        pytest.param((20,), (-1.0, 0.5), (-1.0, 0.5), id="plane wave"),
    ],
)
@pytest.mark.parametrize("size", [25, 41])
def test_scores_of_maps_tell_symmetries_apart(
    size: int, angles: tuple[int, ...], sixty: tuple[float, float], ninety: tuple[float, float]
) -> None:
    scores = grid_scores(autocorrelogram(plane_waves(size, angles, period=8.0)))
    assert scores is not None
    assert sixty[0] <= scores.sixty <= sixty[1]
    assert ninety[0] <= scores.ninety <= ninety[1]


def test_noise_has_no_symmetry() -> None:
    """Means of 20 maps; the maximum over radii lifts a score of noise a little above 0."""
    rng = np.random.default_rng(0)
    drawn = [grid_scores(autocorrelogram(rng.normal(size=(25, 25)))) for _ in range(20)]
    scores = [s for s in drawn if s is not None]
    assert len(scores) >= 18
    assert abs(float(np.mean([s.sixty for s in scores]))) < 0.35
    assert abs(float(np.mean([s.ninety for s in scores]))) < 0.35


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param(plane_waves(4, (0,), 3.0), id="small"),
        pytest.param(plane_waves(30, (0,), 5.0)[:1], id="a corridor"),
        pytest.param(np.ones((20, 20)), id="constant"),
        pytest.param(np.full((20, 20), np.nan), id="never visited"),
    ],
)
def test_undefined_where_there_is_nothing_to_turn(rates: Map) -> None:
    assert grid_scores(autocorrelogram(rates)) is None
