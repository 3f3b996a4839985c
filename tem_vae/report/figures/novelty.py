"""The weight of the null component on first visits and on revisits."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torchmetrics.functional.classification import binary_auroc

from tem_vae.arrays import FloatArray
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

_NOTHING = "No walk changed place, so nothing was new or known."


def illustrate_novelty(subject: Subject) -> Illustration:
    """The null weight on first visits and revisits."""
    data = measure_novelty(subject.exploration)
    return Illustration(
        "novelty", "Novelty: is this place new?", draw_novelty(data), describe_novelty(data), data.tables()
    )


@dataclass(frozen=True)
class Novelty:
    """The weight of the null component at moves.

    Attributes:
        first_visits: At moves into new places, (first visits,).
        known_links: At revisits over a link walked before, (moves,).
        zero_shot: At revisits over a link walked in neither direction, (moves,).
        auroc: Area under the ROC curve of first visits against all revisits; None if there are not both.
        walks: How many walks were scored.
    """

    first_visits: FloatArray
    known_links: FloatArray
    zero_shot: FloatArray
    auroc: float | None
    walks: int

    def tables(self) -> list[Table]:
        """Every move."""
        return [
            Table("novelty_first_visits", {"null weight": self.first_visits}),
            Table("novelty_known_links", {"null weight": self.known_links}),
            Table("novelty_zero_shot_links", {"null weight": self.zero_shot}),
        ]


def measure_novelty(exploration: Exploration) -> Novelty:
    """Gather the null weights of every move by its kind."""
    kinds, novelty = exploration.kinds, exploration.novelty
    auroc = None
    if kinds.first_visit.any() and kinds.revisit.any():
        auroc = float(binary_auroc(novelty[kinds.move], kinds.first_visit[kinds.move].long()))

    def at(steps: torch.Tensor) -> FloatArray:
        return novelty[steps].double().numpy()

    return Novelty(
        at(kinds.first_visit), at(kinds.known_link), at(kinds.zero_shot), auroc, walks=len(novelty)
    )


@styled
def draw_novelty(data: Novelty) -> Figure:
    """Distribution functions of the null weight, by kind of move."""
    if not sum(len(weights) for _, weights, _, _ in _groups(data)):
        return sentence_figure(_NOTHING)
    figure = Figure(figsize=(WIDTH, 2.9))
    axes = figure.add_subplot()
    for label, weights, color, linestyle in _groups(data):
        if len(weights):
            axes.ecdf(weights, label=f"{label} (n = {len(weights):,})", color=color, linestyle=linestyle)
    axes.set(xlabel="weight of the null component before the percept is seen", xlim=(0, None))
    axes.set(ylabel="share of moves at or below", ylim=(0, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _groups(data: Novelty) -> tuple[tuple[str, FloatArray, str, str], ...]:
    """Label, null weights, color and line style of each kind of move."""
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
        f"How much the model expects a place to be new, on {count(data.walks, 'walk')}; median weights "
        f"{enumerate_words(medians)}. {auroc}{absent}"
    )
