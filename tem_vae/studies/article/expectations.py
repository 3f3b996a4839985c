"""What each figure should be, and how far from that a run may be and still agree."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from tem_vae.studies.article.dense import DenseReference, published_log_volume
from tem_vae.studies.article.experiment import Experiment
from tem_vae.studies.article.printed import CODE_DIM, PRINTED, RANK, SCALE, TAU
from tem_vae.studies.article.theory import (
    Law,
    distance_law,
    projector_diagonal_std,
    projector_identity_gap,
    squared_distance_law,
    standard_log_prob_law,
)

_ERRORS = 4
_FLOAT32_STEP = 2.0**-24


@dataclass(frozen=True)
class ExpectedFigure:
    """What a figure should be.

    Attributes:
        value: The right value, from theory or from a dense float64 reference. It is 0 for a rounding error.
        tolerance: How far a figure may be from the value. For a rounding error, how large that of the
            published formula may be.
        basis: Where the tolerance comes from.
        is_bound: Whether the figure is a rounding error, so that the printed one is an upper bound.
        published_exact: For a figure that does not hold, the published formula in float64; else None.
    """

    value: float
    tolerance: float
    basis: str
    is_bound: bool = False
    published_exact: float | None = None


def expectations(corrected: Experiment, spread: Mapping[str, float], seeds: int) -> dict[str, ExpectedFigure]:
    """What every figure of an experiment should be, without the shape of E†.

    Args:
        corrected: The experiment with the corrected formulas. The references are computed for its E.
        spread: The standard deviation of each figure over seeds, by name.
        seeds: The number of those seeds.
    """
    samples, few = len(corrected.origin.log_prob), len(corrected.near.log_prob)
    return (
        _inverse(spread, seeds)
        | _distances(samples, few)
        | _log_prob_shape(samples)
        | _bounds()
        | _log_probs(corrected, spread, seeds)
    )


def spread_over_seeds(published: Sequence[Experiment], corrected: Sequence[Experiment]) -> dict[str, float]:
    """Standard deviation of each figure over seeds.

    A figure that should hold must hold with both sets of formulas, so the runs of both count. For the other
    figures only the runs of the corrected formulas count, since the published formulas are wrong there.
    """
    spread = {}
    for figure in PRINTED:
        runs = [*published, *corrected] if figure.holds else corrected
        if all(figure.name in run.figures for run in runs):
            spread[figure.name] = torch.tensor([run.figures[figure.name] for run in runs]).std().item()
    return spread


def _over_seeds(value: float, spread: float, seeds: int, exact: float | None = None) -> ExpectedFigure:
    tolerance = _ERRORS * spread * math.sqrt(1 + 1 / seeds)
    return ExpectedFigure(value, tolerance, f"{_ERRORS} spreads over {seeds} seeds", published_exact=exact)


def _mean_of(law: Law, samples: int) -> ExpectedFigure:
    basis = f"{_ERRORS} standard errors, n = {samples:,}"
    return ExpectedFigure(law.mean, _ERRORS * law.error_of_mean(samples), basis)


def _std_of(law: Law, samples: int) -> ExpectedFigure:
    basis = f"{_ERRORS} standard errors, n = {samples:,}"
    return ExpectedFigure(law.std, _ERRORS * law.error_of_std(samples), basis)


def _inverse(spread: Mapping[str, float], seeds: int) -> dict[str, ExpectedFigure]:
    rounding = CODE_DIM * _FLOAT32_STEP
    basis = f"rounding of {CODE_DIM} float32 terms"
    ratio = CODE_DIM / RANK
    diagonal, gap = "diag_E_dagger_E_std", "abs_error_E_dagger_E_vs_identity_mean"
    return {
        "diag_E_dagger_E_mean": ExpectedFigure(1.0, rounding, basis),
        diagonal: _over_seeds(projector_diagonal_std(RANK, CODE_DIM), spread[diagonal], seeds),
        gap: _over_seeds(projector_identity_gap(RANK, CODE_DIM), spread[gap], seeds),
        "E_E_dagger_diagonal": ExpectedFigure(ratio, ratio * rounding, basis),
    }


def _distances(samples: int, few: int) -> dict[str, ExpectedFigure]:
    squared, distance = squared_distance_law(RANK), distance_law(RANK)
    raw, near = squared.scaled((CODE_DIM / RANK) ** 2 * RANK), distance.scaled(SCALE)
    return {
        "raw_squared_distance_mean": _mean_of(raw, few),
        "raw_squared_distance_std": _std_of(raw, few),
        "final_squared_distance_mean": _mean_of(squared, samples),
        "final_squared_distance_std": _std_of(squared, samples),
        "standard_normal_squared_norm_over_M_std": _std_of(squared, samples),
        "distance_mean_at_scale_0.1": _mean_of(near, few),
        "distance_std_at_scale_0.1": _std_of(near, few),
        "PseudoMetric_distance_mean_at_scale_1": _mean_of(distance, few),
        "PseudoMetric_distance_std_at_scale_1": _std_of(distance, few),
    }


def _log_prob_shape(samples: int) -> dict[str, ExpectedFigure]:
    slope = -RANK / 2
    return {
        "logp_std": _std_of(standard_log_prob_law(RANK), samples),
        "logp_slope_against_squared_distance": ExpectedFigure(
            slope, abs(slope) * CODE_DIM * _FLOAT32_STEP, f"rounding of {CODE_DIM} float32 terms"
        ),
    }


def _bounds() -> dict[str, ExpectedFigure]:
    """Rounding errors: ours may be as large as the printed one, that of the published formula twice as large.

    Rounding depends on the machine. The largest difference of two log-probabilities of 13,432 nats is one
    float32 step or a few.
    """
    names = (
        "E_E_dagger_max_deviation",
        "logp_cached_minus_recomputed_abs_max",
        "logp_cached_minus_recomputed_std",
    )
    printed = {figure.name: figure.value for figure in PRINTED if isinstance(figure.value, float)}
    basis = "rounding, which depends on the machine"
    return {name: ExpectedFigure(0.0, 2 * printed[name], basis, is_bound=True) for name in names}


def _log_probs(corrected: Experiment, spread: Mapping[str, float], seeds: int) -> dict[str, ExpectedFigure]:
    uniform, linear = corrected.formulas.E, corrected.linear_formulas.E
    volume, linear_volume = (-DenseReference(E, TAU).log_volume.item() for E in (uniform, linear))
    published, published_linear = (published_log_volume(E, TAU) for E in (uniform, linear))
    standard = standard_log_prob_law(RANK).mean
    values = {
        "logdet_E": (volume, published),
        "logp_mean": (standard + volume, standard - published),
        "logp_mean_at_scale_0.1": (
            standard + volume - RANK * math.log(SCALE),
            standard - published / SCALE**2,
        ),
        "PseudoMetric_logp_mean": (standard + linear_volume, standard - published_linear),
    }
    return {name: _over_seeds(true, spread[name], seeds, exact) for name, (true, exact) in values.items()}
