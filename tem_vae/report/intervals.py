"""Intervals for shares of moves, which allow for moves of one walk being alike."""

from typing import NamedTuple

import numpy as np

from tem_vae.arrays import FloatArray

_QUANTILE = 1.959964  # two-sided 95 %


class Shares(NamedTuple):
    """Shares with 95 % intervals, each (bins,); NaN where there was no move.

    Attributes:
        value: The share.
        low: Lower end of its interval.
        high: Upper end.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray


def clustered_shares(successes: FloatArray, trials: FloatArray) -> Shares:
    r"""Shares of successes with Wilson intervals on the effective number of trials.

    Trials of one walk are alike, so each counts for less than one: their number is divided by the design
    effect, the variance of the ratio estimator between walks over that of independent trials, at least 1
    (Kish 1965, "Survey Sampling"):

    .. math:: deff = \frac{W}{W-1}\,\frac{\sum_w (s_w - p\,n_w)^2}{n\,p\,(1-p)}

    Args:
        successes: s_w, (walks, bins).
        trials: n_w, (walks, bins).
    """
    walks = len(trials)
    total = trials.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = successes.sum(axis=0) / total
        between = (successes - share * trials) ** 2
        correction = walks / (walks - 1) if walks > 1 else 1.0
        effect = correction * between.sum(axis=0) / (total * share * (1 - share))
        effective = total / np.fmax(effect, 1.0)
        return Shares(share, *_wilson(share, effective))


def _wilson(share: FloatArray, trials: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ends of the score interval (Wilson 1927)."""
    squared = _QUANTILE**2 / trials
    center = (share + squared / 2) / (1 + squared)
    half = np.sqrt(squared * (share * (1 - share) + squared / 4)) / (1 + squared)
    return center - half, center + half
