"""When a figure holds, when it is shown wrong, and when the reproduction fails."""

import math

import pytest

from tem_vae.studies.article.checks import Verdict, judge_holding, judge_wrong
from tem_vae.studies.article.expectations import ExpectedFigure

MET = ExpectedFigure(value=1.0, tolerance=0.1, basis="test")
BOUND = ExpectedFigure(value=0.0, tolerance=0.2, basis="test", is_bound=True)
REFUTED = ExpectedFigure(value=1.0, tolerance=0.1, basis="test", published_exact=5.0)


@pytest.mark.parametrize(
    ("printed", "published", "corrected", "verdict"),
    [
        (1.05, 0.95, 1.0, Verdict.HOLDS),
        (1.2, 1.0, 1.0, Verdict.FAILED),
        (1.0, 1.2, 1.0, Verdict.FAILED),
        (1.0, 1.0, 1.2, Verdict.FAILED),
        (1.0, math.nan, 1.0, Verdict.FAILED),
        (1.0, 1.0, math.nan, Verdict.FAILED),
    ],
)
def test_a_figure_holds_where_all_three_meet_the_expectation(
    printed: float, published: float, corrected: float, verdict: Verdict
) -> None:
    assert judge_holding(printed, published, corrected, MET) is verdict


@pytest.mark.parametrize(
    ("published", "corrected", "verdict"),
    [(0.15, 0.1, Verdict.HOLDS), (0.15, 0.11, Verdict.FAILED), (0.21, 0.1, Verdict.FAILED)],
)
def test_a_bound_holds_where_ours_is_no_larger(published: float, corrected: float, verdict: Verdict) -> None:
    assert judge_holding(0.1, published, corrected, BOUND) is verdict


@pytest.mark.parametrize(
    ("printed", "corrected", "expected", "verdict"),
    [
        (3.0, 1.05, REFUTED, Verdict.WRONG),
        (1.05, 1.05, REFUTED, Verdict.FAILED),
        (3.0, 1.2, REFUTED, Verdict.FAILED),
        (3.0, math.nan, REFUTED, Verdict.FAILED),
        (3.0, 1.0, ExpectedFigure(1.0, 0.1, "test", published_exact=1.05), Verdict.FAILED),
    ],
)
def test_a_figure_is_shown_wrong_where_the_reference_refutes_it(
    printed: float, corrected: float, expected: ExpectedFigure, verdict: Verdict
) -> None:
    assert judge_wrong(printed, corrected, expected) is verdict
