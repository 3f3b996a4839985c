"""Figure: the weight of the null component on first visits and on revisits."""

import numpy as np
from matplotlib.figure import Figure

from tem_vae.report.measurements.novelty import Novelty
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

_NOTHING = "No walk changed place, so nothing was new or known."


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


def _groups(
    data: Novelty,
) -> tuple[tuple[str, "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", str, str], ...]:
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
