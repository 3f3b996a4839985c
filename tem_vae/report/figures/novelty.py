"""The probability that a place is new, on first visits and on revisits, and how often it was."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torchmetrics.functional.classification import binary_auroc

from tem_vae.arrays import BoolArray, FloatArray
from tem_vae.report.exploration import Exploration
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    BLACK,
    BLUE,
    ORANGE,
    WIDTH,
    count,
    enumerate_words,
    sentence_figure,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.scores.prediction import CALIBRATION_BINS

_NOTHING = "No walk changed place, so nothing was new or known."


def illustrate_novelty(subject: Subject) -> Illustration:
    """Novelty on first visits and revisits, and its reliability."""
    data = measure_novelty(subject.exploration)
    return Illustration(
        "novelty", "Novelty: is this place new?", draw_novelty(data), describe_novelty(data), data.tables()
    )


@dataclass(frozen=True)
class Novelty:
    """The probability that a place is new, at moves.

    Attributes:
        first_visits: At moves into new places, (first visits,).
        known_links: At revisits over a link walked before, (moves,).
        zero_shot: At revisits over a link walked in neither direction, (moves,).
        auroc: Area under the ROC curve of first visits against all revisits; None if there are not both.
        reliability: Of moves whose novelty lies in one bin: mean novelty, share of first visits, and how
            many there are, (bins, 3); bins without moves are left out.
        walks: How many walks were scored.
    """

    first_visits: FloatArray
    known_links: FloatArray
    zero_shot: FloatArray
    auroc: float | None
    reliability: FloatArray
    walks: int

    @property
    def calibration_error(self) -> float:
        """The mean difference between novelty and the share of first visits, over moves."""
        expected, occurred, moves = self.reliability.T
        return float(np.average(abs(expected - occurred), weights=moves))

    def tables(self) -> list[Table]:
        """Every move."""
        return [
            Table("novelty_first_visits", {"novelty": self.first_visits}),
            Table("novelty_known_links", {"novelty": self.known_links}),
            Table("novelty_zero_shot_links", {"novelty": self.zero_shot}),
            Table(
                "novelty_reliability",
                dict(zip(("novelty", "share of first visits", "moves"), self.reliability.T, strict=True)),
            ),
        ]


def measure_novelty(exploration: Exploration) -> Novelty:
    """Gather the novelty of every move by its kind."""
    kinds, novelty = exploration.kinds, exploration.novelty
    auroc = None
    if kinds.first_visit.any() and kinds.revisit.any():
        auroc = float(binary_auroc(novelty[kinds.move], kinds.first_visit[kinds.move].long()))

    def at(steps: torch.Tensor) -> FloatArray:
        return novelty[steps].double().numpy()

    return Novelty(
        at(kinds.first_visit),
        at(kinds.known_link),
        at(kinds.zero_shot),
        auroc,
        _reliability(at(kinds.move), kinds.first_visit[kinds.move].numpy()),
        walks=len(novelty),
    )


def _reliability(novelty: FloatArray, is_new: BoolArray) -> FloatArray:
    """`Novelty.reliability`."""
    bins = np.minimum((novelty * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    rows = [
        (novelty[bins == number].mean(), is_new[bins == number].mean(), (bins == number).sum())
        for number in range(CALIBRATION_BINS)
        if (bins == number).any()
    ]
    return np.array(rows, dtype=float).reshape(-1, 3)


@styled
def draw_novelty(data: Novelty) -> Figure:
    """Distribution functions of novelty, by kind of move; and how often what was so novel was new."""
    if not sum(len(weights) for _, weights, _, _ in _groups(data)):
        return sentence_figure(_NOTHING)
    figure = Figure(figsize=(WIDTH, 2.9))
    axes, reliability = figure.subplots(1, 2)
    for label, weights, color, linestyle in _groups(data):
        if len(weights):
            axes.ecdf(weights, label=f"{label} (n = {len(weights):,})", color=color, linestyle=linestyle)
    axes.set(xlabel="novelty before the percept is seen", xlim=(0, 1))
    axes.set(ylabel="share of moves at or below", ylim=(0, 1.02))
    axes.legend(loc="lower right")
    expected, occurred, _ = data.reliability.T
    reliability.plot([0, 1], [0, 1], color=BLACK, linewidth=0.8)
    reliability.plot(expected, occurred, color=BLUE, marker="o", markersize=4)
    reliability.set(xlabel="novelty", ylabel="share of first visits", xlim=(0, 1), ylim=(0, 1.02))
    return figure


def _groups(data: Novelty) -> tuple[tuple[str, FloatArray, str, str], ...]:
    """Label, novelty, color and line style of each kind of move."""
    return (
        ("known links", data.known_links, BLUE, "-"),
        ("zero-shot links", data.zero_shot, ORANGE, "--"),
        ("first visits", data.first_visits, BLACK, "-."),
    )


def describe_novelty(data: Novelty) -> str:
    """The caption."""
    medians = [f"{np.median(w):.3f} on {label}" for label, w, _, _ in _groups(data) if len(w)]
    if not medians:
        return _NOTHING
    missing = [label for label, weights, _, _ in _groups(data) if not len(weights)]
    auroc = (
        f"First visits are told from revisits with an area under the ROC curve of {data.auroc:.4f}."
        if data.auroc is not None
        else "There are not both first visits and revisits to tell apart."
    )
    absent = f" There were no {enumerate_words(missing)}." if missing else ""
    return (
        f"How much the model expects a place to be new, on {count(data.walks, 'walk')}; medians are "
        f"{enumerate_words(medians)}. {auroc} Where novelty is a probability, points on the right lie on the "
        f"diagonal; weighted by moves they are {data.calibration_error:.3f} away.{absent}"
    )
