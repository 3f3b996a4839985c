"""Autocorrelograms and grid scores of rate maps, with places that were never visited left out.

A map's autocorrelogram is compared with itself turned by several angles, on a ring round its center
(Sargolini et al. 2006, doi:10.1126/science.1125572). A hexagonal map looks the same after 60° and 120°, a
square one after 90°. Where correlations on the ring go as cos(n angle), a hexagonal map (n = 6) has the
scores (2, −1), a square one (n = 4) (−1.5, 2) and stripes (n = 2) (−1, −1). Rings of real maps are wide: sums
of plane waves on 41 × 41 places reach about 1.4 and 1.9; a single plane wave, which is what one circle of a
torus makes, stays below 0.5.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

Map = npt.NDArray[np.float64]

# A lag that fewer pairs of places support says nothing; the number is the usual one.
_FEWEST_PAIRS = 20
# Rings at least this wide, in places: fewer pixels would correlate by chance.
_NARROWEST_RING = 2


class GridScores(NamedTuple):
    """How much an autocorrelogram looks like itself when turned.

    Attributes:
        sixty: The lower correlation at 60° and 120°, less the highest at 30°, 90° and 150°.
        ninety: The correlation at 90°, less the higher at 45° and 135°.
    """

    sixty: float
    ninety: float


def autocorrelogram(rates: Map) -> Map:
    r"""Pearson correlation of a map with itself shifted by every lag, (2 rows − 1, 2 columns − 1).

    For every lag only pairs of visited places count; NaN where there are fewer than 20 of them or where they
    do not vary.

    Args:
        rates: A rate map, (rows, columns), NaN where nothing was visited.
    """
    visited = np.isfinite(rates)
    # Sums of squares about a mean far from 0 would lose digits.
    x = np.where(visited, rates - (rates[visited].mean() if visited.any() else 0.0), 0.0)
    mask = visited.astype(np.float64)
    pairs = np.round(signal.correlate(mask, mask, method="fft"))
    sum_shifted, sum_fixed = signal.correlate(x, mask, method="fft"), signal.correlate(mask, x, method="fft")
    square_shifted = signal.correlate(x**2, mask, method="fft")
    square_fixed = signal.correlate(mask, x**2, method="fft")
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = signal.correlate(x, x, method="fft") - sum_shifted * sum_fixed / pairs
        variance_shifted = square_shifted - sum_shifted**2 / pairs
        variance_fixed = square_fixed - sum_fixed**2 / pairs
        floor = 1e-9 * max(float((x**2).sum()), np.finfo(np.float64).tiny)
        defined = (pairs >= _FEWEST_PAIRS) & (variance_shifted > floor) & (variance_fixed > floor)
        correlation = covariance / np.sqrt(variance_shifted * variance_fixed)
    return np.where(defined, np.clip(correlation, -1, 1), np.nan)


def grid_scores(correlogram: Map) -> GridScores | None:
    """The 60° and 90° scores of an autocorrelogram, or None where the map is too small to have any.

    The ring begins where the central peak ends, that is where the mean over a circle first falls below 0.
    Of all outer radii that the map allows, each score takes the one that favours it, as is usual: on noise
    scores are above their expectation for one fixed ring.

    Args:
        correlogram: Odd in both sizes, centered on lag 0, NaN where undefined.
    """
    radii = _radii(correlogram.shape)
    inner = _end_of_peak(correlogram, radii)
    outermost = _largest_full_circle(correlogram, radii)
    if inner is None or outermost < inner + _NARROWEST_RING:
        return None
    turned = {angle: _turn(correlogram, angle) for angle in (30, 45, 60, 90, 120, 135, 150)}
    scores = []
    for outer in range(inner + _NARROWEST_RING, outermost + 1):
        ring = (radii >= inner) & (radii <= outer)
        r = {angle: _correlate(correlogram, other, ring) for angle, other in turned.items()}
        sixty = min(r[60], r[120]) - max(r[30], r[90], r[150])
        scores.append(GridScores(sixty, r[90] - max(r[45], r[135])))
    return GridScores(max(s.sixty for s in scores), max(s.ninety for s in scores))


def _radii(shape: tuple[int, ...]) -> Map:
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in shape)
    radii: Map = np.hypot(rows[:, None], columns)
    return radii


def _end_of_peak(correlogram: Map, radii: Map) -> int | None:
    """The first whole radius at which the mean over a circle is below 0."""
    for radius in range(1, min(correlogram.shape) // 2 + 1):
        circle = correlogram[np.round(radii) == radius]
        defined = circle[np.isfinite(circle)]
        if len(defined) and defined.mean() < 0:
            return radius
    return None


def _largest_full_circle(correlogram: Map, radii: Map) -> int:
    """The largest whole radius within which every lag is defined and inside the map."""
    undefined = radii[~np.isfinite(correlogram)]
    inside: int = min(correlogram.shape) // 2
    return min(inside, int(np.ceil(undefined.min())) - 1) if len(undefined) else inside


def _turn(correlogram: Map, angle: int) -> Map:
    """The autocorrelogram turned by an angle in degrees, with bilinear interpolation."""
    turned: Map = ndimage.rotate(np.nan_to_num(correlogram), angle, reshape=False, order=1)
    return turned


def _correlate(first: Map, second: Map, ring: npt.NDArray[np.bool_]) -> float:
    a, b = first[ring] - first[ring].mean(), second[ring] - second[ring].mean()
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / scale) if scale > 0 else 0.0
