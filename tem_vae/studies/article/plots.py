"""The article's four plots, with its formulas and with the corrected ones, and two more plots."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from tem_vae.report.style import BLACK, BLUE, ORANGE, styled
from tem_vae.seeding import seeded
from tem_vae.studies.article.calibration import ALLOWED_ERRORS
from tem_vae.studies.article.dense import DenseReference
from tem_vae.studies.article.experiment import Draws, Experiment
from tem_vae.studies.article.printed import CODE_DIM, RANK, SCALE, TAU
from tem_vae.studies.article.run import Reproduction
from tem_vae.studies.article.theory import published_mean_squared_distance

# In grey, orange is light and blue is dark; line styles differ too.
_PUBLISHED = ORANGE
_CORRECTED = BLUE
_THEORY = BLACK
_CHI2 = r"$\chi^2_M/M$"
_NOT_REBALANCED = CODE_DIM / 100
_PIXELS_PER_INCH = 110


def draw_plots(reproduction: Reproduction, folder: Path) -> dict[str, str]:
    """Draw every plot as PNG into a folder.

    Returns:
        Captions by file name.
    """
    plots: dict[str, tuple[Callable[[Reproduction], Figure], str]] = {
        "distance_histogram.png": (
            distance_histogram,
            "Squared distances of samples at scale 1. At this rank, where M³ = 2N², the two calibrations "
            "agree.",
        ),
        "chi2_comparison.png": (
            chi2_comparison,
            "Against the law χ²_M/M: histograms, and how far each empirical distribution function is from "
            "it.",
        ),
        "log_probability.png": (
            log_probability,
            "Log-probability against squared distance, and below it how the distances are spread: the slope "
            "holds, the value does not.",
        ),
        "distances_from_reference.png": (
            distances_from_reference,
            "Distances from a reference point at two scales.",
        ),
        "calibration.png": (
            calibration,
            "Left: mean squared distance against rank under both calibrations. Right: the corrected one for "
            "every rank and τ, in standard errors.",
        ),
        "logdet_rounding.png": (
            logdet_rounding,
            "The published float32 log-determinant, what its formula is in float64, and the true value.",
        ),
    }
    for name, (draw_plot, _) in plots.items():
        # Without the version of matplotlib the same numbers give the same bytes.
        draw_plot(reproduction).savefig(folder / name, dpi=_PIXELS_PER_INCH, metadata={"Software": None})
    return {name: caption for name, (_, caption) in plots.items()}


@styled
def distance_histogram(reproduction: Reproduction) -> Figure:
    """The article's histogram of squared distances, with the published and with the corrected formulas."""
    figure, axes = _figure(2, share=True)
    grid = np.linspace(0.4, 1.7, 300)
    for axis, experiment, color, name in _both(axes, reproduction):
        distance = experiment.origin.squared_distance.numpy()
        axis.hist(distance, bins=100, range=(0.4, 1.7), density=True, color=color, alpha=0.7, label="samples")
        _chi2_curve(axis, grid)
        axis.set_title(f"{name}: {distance.mean():.4f} ± {distance.std():.4f}, n = {len(distance):,}")
        axis.set_xlabel("squared distance d² (units of ε²)")
        axis.legend()
    axes[0].set_ylabel("density (per ε²)")
    return figure


@styled
def chi2_comparison(reproduction: Reproduction) -> Figure:
    """The article's comparison of d² with the squared norm of a standard normal, and both with the law."""
    figure, (left, right) = _figure(2)
    samples = (
        ("published d²", reproduction.published.origin.squared_distance, _PUBLISHED, "-", 5),
        ("corrected d²", reproduction.corrected.origin.squared_distance, _CORRECTED, "-", 1.6),
        ("‖u‖²/M, u standard normal", reproduction.corrected.squared_norm, "0.45", "--", 1.6),
    )
    law = stats.chi2(RANK, scale=1 / RANK)
    grid = np.linspace(0.4, 1.7, 600)
    for name, values, color, dashes, width in samples:
        count, edges = np.histogram(values, bins=100, range=(0.4, 1.7), density=True)
        left.stairs(count, edges, color=color, linestyle=dashes, linewidth=width, label=name)
        empirical = np.searchsorted(np.sort(values), grid) / len(values)
        right.plot(
            grid, empirical - law.cdf(grid), color=color, linestyle=dashes, linewidth=width, label=name
        )
    _chi2_curve(left, grid)
    band = float(stats.kstwobign.ppf(0.99)) / math.sqrt(len(reproduction.corrected.squared_norm))
    right.axhspan(-band, band, color="0.9", label=f"99 % of samples of {_CHI2} stay inside")
    left.set(xlabel="d²/ε² or ‖u‖²/M (no unit)", ylabel="density (no unit)", title="histograms")
    right.set(
        xlabel="d²/ε² or ‖u‖²/M (no unit)",
        ylabel="probability",
        title=f"empirical distribution function minus {_CHI2}",
    )
    right.set_ylim(-1.3 * band, 1.9 * band)
    left.legend(fontsize=8)
    right.legend(fontsize=8, ncols=2, loc="upper center")
    return figure


@styled
def log_probability(reproduction: Reproduction) -> Figure:
    """The article's log-probability against squared distance, with a dense reference."""
    figure, (top, bottom) = _stacked()
    for experiment, color, name in _experiments(reproduction):
        shown = experiment.origin.squared_distance.argsort()[
            :: max(1, len(experiment.origin.log_prob) // 500)
        ]
        x, y = experiment.origin.squared_distance[shown], experiment.origin.log_prob[shown]
        slope = experiment.figures["logp_slope_against_squared_distance"]
        replaced = " with the printed determinant" if math.isnan(experiment.formulas.log_volume) else ""
        label = f"{name}{replaced}, mean {experiment.origin.log_prob.mean():.1f}, slope {slope:.1f}"
        top.plot(x, y, color=color, linewidth=3, label=label)
        bottom.hist(
            experiment.origin.squared_distance, bins=100, range=(0.4, 1.7), density=True, color=color,
            histtype="step", linewidth=4 if color == _PUBLISHED else 1.5,
        )  # fmt: skip
    _dense_points(top, reproduction.corrected)
    bottom.set(xlabel="squared distance d² (units of ε²)", ylabel="density (per ε²)")
    top.set(ylabel="log-probability (nats)", ylim=(-480, 720), title=f"M = {RANK}, N = {CODE_DIM}, ε = 1")
    top.legend(loc="center right")
    return figure


@styled
def distances_from_reference(reproduction: Reproduction) -> Figure:
    """The article's histogram of distances from a reference point, at both of its scales."""
    figure, axes = _figure(2)
    titles = (f"uniform E, scale ε = {SCALE}", "E of nn.Linear, scale ε = 1")
    for axis, title, pick in zip(axes, titles, (_near, _linear), strict=True):
        scale = pick(reproduction.corrected).scale
        span = (0.75 * scale, 1.25 * scale)
        for experiment, color, name in _experiments(reproduction):
            distance = pick(experiment).squared_distance.sqrt()
            axis.hist(
                distance, bins=40, range=span, density=True, color=color, label=name,
                histtype="stepfilled" if color == _PUBLISHED else "step",
                alpha=0.6 if color == _PUBLISHED else 1, linewidth=1.8,
            )  # fmt: skip
        grid = np.linspace(*span, 300)
        law = stats.chi(RANK, scale=scale / math.sqrt(RANK))
        axis.plot(
            grid, law.pdf(grid), color=_THEORY, linestyle="--", label=r"$\chi_M \, \epsilon / \sqrt{M}$"
        )
        axis.set(xlabel="distance d (units of the pseudometric)", ylabel="density (per unit)", title=title)
        axis.legend()
    return figure


@styled
def calibration(reproduction: Reproduction) -> Figure:
    """Mean squared distance against rank, and its error over all ranks and regularisers."""
    figure, (left, right) = _figure(2)
    means = reproduction.published_means
    rebalanced = [rank for rank in means if rank >= _NOT_REBALANCED]
    ranks = np.geomspace(min(rebalanced), max(rebalanced), 100)
    theory = [published_mean_squared_distance(rank, CODE_DIM) for rank in ranks]
    left.loglog(ranks, theory, color=_THEORY, linestyle="--", linewidth=1, label="M³/(2N²)")
    left.loglog(list(means), list(means.values()), "s", color=_PUBLISHED, markersize=8, label="published β")
    ours = [case for case in reproduction.calibration if case.tau == TAU and case.rank in means]
    left.loglog(
        [case.rank for case in ours],
        [case.mean for case in ours],
        "o-",
        color=_CORRECTED,
        label="corrected β",
    )
    left.axvspan(min(means) * 0.8, _NOT_REBALANCED, color="0.92", label="not rebalanced: M < N/100")
    left.set_xticks(list(means), [str(rank) for rank in means])
    left.set(xlabel="metric rank M", ylabel="mean of d²/ε² (no unit)", title=f"N = {CODE_DIM}, τ = {TAU:g}")
    left.minorticks_off()
    left.legend()
    _calibration_errors(right, reproduction)
    return figure


@styled
def logdet_rounding(reproduction: Reproduction) -> Figure:
    """The published float32 log-determinant over many seeds."""
    figure, (axis,) = _figure(1)
    study = reproduction.rounding
    seeds = torch.arange(len(study.true))
    numbers = ~study.published.isnan()
    count = int(numbers.sum())
    axis.plot(seeds, study.true, color=_CORRECTED, linewidth=2.5, label=f"true, mean {study.true.mean():.1f}")
    label = f"published, float32: a number for {count} of {len(seeds)} seeds"
    axis.plot(seeds[numbers], study.published[numbers], "s", color=_PUBLISHED, markersize=4, label=label)
    axis.plot(
        seeds[~numbers],
        torch.zeros(len(seeds) - count),
        "x",
        color="0.4",
        markersize=4,
        label="published: NaN (drawn at 0)",
    )
    exact = f"published formula, float64, mean {study.published_exact.mean():.1f}"
    axis.plot(seeds, study.published_exact, color=_THEORY, linestyle="--", linewidth=1.5, label=exact)
    axis.set(xlabel="seed of E", ylabel="log-volume of the map from z to u (nats)", ylim=(-2500, 1000))
    axis.legend(loc="center right", bbox_to_anchor=(1, 0.35))
    return figure


def _calibration_errors(axis: Axes, reproduction: Reproduction) -> None:
    axis.axhspan(-ALLOWED_ERRORS, ALLOWED_ERRORS, color="0.92", label="allowed")
    markers = "os^Dv"
    greys = np.linspace(0, 0.65, len(reproduction.effort.taus))
    for tau, marker, grey in zip(reproduction.effort.taus, markers, greys, strict=False):
        cases = [case for case in reproduction.calibration if case.tau == tau]
        errors = [case.errors for case in cases]
        axis.semilogx(
            [case.rank for case in cases], errors, marker, color=str(grey), label=f"τ = {tau:g}", markersize=5
        )
    axis.set(xlabel="metric rank M", ylabel="mean of d²/ε² − 1 (standard errors)", ylim=(-5, 7.5))
    axis.set_title(f"corrected β, n = {reproduction.effort.calibration_samples:,}")
    axis.set_xticks(reproduction.effort.ranks, [str(rank) for rank in reproduction.effort.ranks], fontsize=8)
    axis.minorticks_off()
    axis.legend(ncols=3, fontsize=8, loc="upper center")


def _dense_points(axis: Axes, experiment: Experiment) -> None:
    with seeded(0):
        z, _ = experiment.formulas.sample(1.0, 40)
    dense = DenseReference(experiment.formulas.E, TAU).log_prob(z, 1.0)
    distance = experiment.formulas.squared_distance(z)
    axis.plot(distance, dense, "o", color=_THEORY, markersize=3, label="dense float64 reference")


def _chi2_curve(axis: Axes, grid: npt.NDArray[np.float64]) -> None:
    density = stats.chi2(RANK, scale=1 / RANK).pdf(grid)
    axis.plot(grid, density, color=_THEORY, linestyle="--", linewidth=1, label=_CHI2)


def _near(experiment: Experiment) -> Draws:
    return experiment.near


def _linear(experiment: Experiment) -> Draws:
    return experiment.linear


def _experiments(reproduction: Reproduction) -> list[tuple[Experiment, str, str]]:
    return [
        (reproduction.published, _PUBLISHED, "published"),
        (reproduction.corrected, _CORRECTED, "corrected"),
    ]


def _both(axes: list[Axes], reproduction: Reproduction) -> list[tuple[Axes, Experiment, str, str]]:
    return [(axis, *experiment) for axis, experiment in zip(axes, _experiments(reproduction), strict=True)]


def _figure(columns: int, share: bool = False) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(5.2 * columns if columns > 1 else 8, 4))
    grid = figure.subplots(1, columns, squeeze=False, sharey=share)
    return figure, list(grid[0])


def _stacked() -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(8, 6))
    return figure, list(figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)))
