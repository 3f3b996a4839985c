"""A verdict on every figure that the article prints: it holds, it is wrong, or the reproduction failed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tem_vae.studies.article.expectations import ExpectedFigure
from tem_vae.studies.article.experiment import Experiment
from tem_vae.studies.article.printed import PRINTED, PrintedFigure


class Verdict(StrEnum):
    """The verdict on one figure."""

    HOLDS = "holds"
    WRONG = "wrong"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Check:
    """One figure of the article: the printed value and the values found in this run.

    Attributes:
        figure: The figure as the article prints it.
        published: The value that the published formula gives here, as text.
        corrected: The value that the corrected formula gives here, as text.
        expected: The right value, from theory or from a dense float64 reference, as text.
        tolerance: How far the other values may be from the right one, and why, as text.
        verdict: Whether the figure holds.
        published_exact: For a figure that does not hold, the published formula in float64; else None.
    """

    figure: PrintedFigure
    published: str
    corrected: str
    expected: str
    tolerance: str
    verdict: Verdict
    published_exact: float | None = None


def check_figures(
    published: Experiment,
    corrected: Experiment,
    published_runs: Sequence[Experiment],
    expected: Mapping[str, ExpectedFigure],
) -> list[Check]:
    """Judge every printed figure.

    Args:
        published: The experiment with the published formulas.
        corrected: The same experiment with the corrected formulas.
        published_runs: The experiment with the published formulas and several seeds, for those figures that
            are rounding noise.
        expected: What each figure should be, by its name.
    """
    checks = []
    for figure in PRINTED:
        if isinstance(figure.value, tuple):
            checks.append(_check_shape(figure, published, corrected))
        elif figure.holds:
            checks.append(_check_holding(figure, published, corrected, expected[figure.name]))
        else:
            checks.append(_check_wrong(figure, published_runs, corrected, expected[figure.name]))
    return checks


def judge_holding(printed: float, published: float, corrected: float, expected: ExpectedFigure) -> Verdict:
    """A figure holds if the printed, the published and the corrected value are all within the tolerance."""
    if expected.is_bound:
        holds = abs(corrected) <= printed and abs(published) <= expected.tolerance
    else:
        found = (printed, published, corrected)
        holds = all(abs(value - expected.value) <= expected.tolerance for value in found)
    return Verdict.HOLDS if holds else Verdict.FAILED


def judge_wrong(printed: float, corrected: float, expected: ExpectedFigure) -> Verdict:
    """A figure is wrong if the printed value is outside the tolerance and the corrected one is within it.

    The published formula in float64 must be outside as well. Otherwise the formula would be right, and only
    rounding would make the printed value wrong.
    """
    refuted = [printed] if expected.published_exact is None else [printed, expected.published_exact]
    misses = all(abs(value - expected.value) > expected.tolerance for value in refuted)
    meets = abs(corrected - expected.value) <= expected.tolerance
    return Verdict.WRONG if misses and meets else Verdict.FAILED


def _check_shape(figure: PrintedFigure, published: Experiment, corrected: Experiment) -> Check:
    shapes = [tuple(run.formulas.right_inverse.shape) for run in (published, corrected)]
    verdict = Verdict.HOLDS if all(shape == figure.value for shape in shapes) else Verdict.FAILED
    return Check(figure, _shape(shapes[0]), _shape(shapes[1]), "N × M", "exact", verdict)


def _check_holding(
    figure: PrintedFigure, published: Experiment, corrected: Experiment, expected: ExpectedFigure
) -> Check:
    assert isinstance(figure.value, float)
    here, ours = published.figures[figure.name], corrected.figures[figure.name]
    tolerance = f"± {expected.tolerance:.3g} ({expected.basis})"
    if expected.is_bound:
        tolerance = f"≤ {figure.value:.3g}; published formula ≤ {expected.tolerance:.3g} ({expected.basis})"
    return Check(
        figure,
        f"{here:.5g}",
        f"{ours:.5g}",
        f"{expected.value:.5g}",
        tolerance,
        judge_holding(figure.value, here, ours, expected),
    )


def _check_wrong(
    figure: PrintedFigure,
    published_runs: Sequence[Experiment],
    corrected: Experiment,
    expected: ExpectedFigure,
) -> Check:
    assert isinstance(figure.value, float)
    ours = corrected.figures[figure.name]
    return Check(
        figure,
        _describe_noise([run.figures[figure.name] for run in published_runs]),
        f"{ours:.6g}",
        f"{expected.value:.6g}",
        f"± {expected.tolerance:.3g} ({expected.basis})",
        judge_wrong(figure.value, ours, expected),
        expected.published_exact,
    )


def _describe_noise(values: Sequence[float]) -> str:
    numbers = [value for value in values if not math.isnan(value)]
    if not numbers:
        return f"NaN for each of {len(values)} seeds"
    found = f"{min(numbers):.5g} to {max(numbers):.5g}"
    if len(numbers) == len(values):
        return f"{found} over {len(values)} seeds"
    return f"NaN for {len(values) - len(numbers)} of {len(values)} seeds, else {found}"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in shape)
