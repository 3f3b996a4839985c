"""Each printed figure judged: it holds, or it is wrong and shown to be, or the reproduction failed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tem_vae.studies.article.expectations import Expectation
from tem_vae.studies.article.experiment import Experiment
from tem_vae.studies.article.printed import PRINTED, PrintedFigure


class Verdict(StrEnum):
    """What came of one figure."""

    HOLDS = "holds"
    WRONG = "wrong"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Check:
    """One figure of the article, as printed and as found here.

    Attributes:
        figure: as the article prints it.
        published: by the published formula here, as text.
        corrected: by the corrected formula here, as text.
        expected: by theory or by a dense float64 reference, as text.
        tolerance: how far from it the others may be and why, as text.
        verdict: what came of it.
        published_exact: for a figure that does not hold, the published formula in float64; otherwise None.
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
    expected: Mapping[str, Expectation],
) -> list[Check]:
    """Judge every printed figure.

    Args:
        published: the experiment under the published formulas.
        corrected: the same under the corrected ones.
        published_runs: the published formulas over several seeds, for the figures that are noise.
        expected: what each figure should be.
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


def judge_holding(printed: float, published: float, corrected: float, expected: Expectation) -> Verdict:
    """A figure holds where the printed, the published and the corrected value all meet the expectation."""
    if expected.is_bound:
        holds = abs(corrected) <= printed and abs(published) <= expected.tolerance
    else:
        found = (printed, published, corrected)
        holds = all(abs(value - expected.value) <= expected.tolerance for value in found)
    return Verdict.HOLDS if holds else Verdict.FAILED


def judge_wrong(printed: float, corrected: float, expected: Expectation) -> Verdict:
    """A figure is shown wrong where the reference refutes what is printed and confirms the corrected formula.

    The published formula in float64 must miss the reference too, else rounding alone would be to blame.
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
    figure: PrintedFigure, published: Experiment, corrected: Experiment, expected: Expectation
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
    figure: PrintedFigure, published_runs: Sequence[Experiment], corrected: Experiment, expected: Expectation
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
