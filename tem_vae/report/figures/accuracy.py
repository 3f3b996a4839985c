"""Figure: accuracy by visit number, time and links walked, beside the two agents."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from tem_vae.report.measurements.accuracy_breakdown import AccuracyBreakdown, Breakdown
from tem_vae.report.style import (
    PREDICTORS,
    WIDTH,
    count,
    frame_percent,
    sentence_figure,
    styled,
)

_NOTHING = "No place was revisited on these walks, so there is no prediction to score."


@styled
def draw_accuracy(data: AccuracyBreakdown) -> Figure:
    """Accuracy on revisits in three breakdowns."""
    if not data.moves:
        return sentence_figure(_NOTHING)
    figure = Figure(figsize=(WIDTH, 3.1))
    panels = figure.subplots(1, 3, sharey=True)
    for axes, breakdown in zip(panels, (data.by_visit, data.by_age, data.by_links), strict=True):
        _draw_breakdown(axes, breakdown)
    for axes in panels[:2]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if axes is panels[0] else (1, 3)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
    panels[2].set_xlim(-0.03, 1.03)
    panels[0].set_ylabel("revisits predicted (%)")
    frame_percent(panels[0])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_breakdown(axes: Axes, breakdown: Breakdown) -> None:
    for name, line in PREDICTORS.items():
        shares = breakdown.shares[name]
        below, above = shares.value - shares.low, shares.high - shares.value
        axes.errorbar(
            breakdown.mean,
            shares.value,
            yerr=np.maximum([below, above], 0),
            label=name,
            color=line.color,
            linestyle=line.linestyle,
            marker=line.marker,
            markersize=4,
            capsize=2,
            elinewidth=0.8,
        )
    axes.set_xlabel(breakdown.quantity)


def describe_accuracy(data: AccuracyBreakdown) -> str:
    """The caption."""
    if not data.moves:
        return _NOTHING
    return (
        f"Share of {count(data.moves, 'revisit')} on {count(data.walks, 'walk')} whose percept class was "
        "predicted from memory before it was seen, in bins drawn at their means. The node agent remembers "
        "every place, the edge agent only links that it walked: where the model is above the edge agent, "
        "inference beats memory. The share of links is that of all links that the walk ever walks. Bars: 95 "
        "% Wilson intervals; moves of one walk, being alike, count for fewer (design effect)."
    )
