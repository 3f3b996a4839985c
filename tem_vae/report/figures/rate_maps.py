"""Figure: rate maps of location channels, their autocorrelograms, and maps of memory retrieval."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from tem_vae.arrays import IntArray
from tem_vae.report.grid_score import GridScores
from tem_vae.report.location_codes import JUNK_RESIDUAL
from tem_vae.report.measurements.rate_maps import SMOOTHING, RateMaps
from tem_vae.report.style import (
    DIVERGING_MAP,
    VERMILION,
    WIDTH,
    count,
    show_picture,
    split,
    styled,
)

_SHOWN = 6


@styled
def draw_rate_maps(data: RateMaps) -> Figure:
    """Some channels above, from those that cancel best to the worst; retrieval of some places below."""
    shown = choose_channels(data)
    figure = Figure(figsize=(WIDTH, 4.6))
    channels, retrieval = split(figure, 2, 1, heights=(1.55, 1))
    _draw_channels(channels, data, shown)
    _draw_retrieval(retrieval, data)
    return figure


def choose_channels(data: RateMaps) -> IntArray:
    """A few channels, spread from the least to the largest residual."""
    order = np.argsort(data.residuals, kind="stable")
    spread = np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).round().astype(np.int64)
    chosen: IntArray = order[spread]
    return chosen


def _draw_channels(part: SubFigure, data: RateMaps, shown: IntArray) -> None:
    grid = part.subplots(2, _SHOWN, squeeze=False)
    for column in range(_SHOWN):
        top, bottom = grid[:, column]
        if column >= len(shown):
            top.set_axis_off()
            bottom.set_axis_off()
            continue
        channel = shown[column]
        show_picture(top, data.channels[channel], (-1, 1), DIVERGING_MAP)
        residual = data.residuals[channel]
        color = VERMILION if residual > JUNK_RESIDUAL else "black"
        top.set_title(f"#{channel}\n{_radians(residual)}", fontsize=7.5, color=color, loc="center", pad=3)
        _draw_correlogram(bottom, data, int(channel))
    for axes, label in zip(grid[:, 0], ("rate map", "auto-\ncorrelogram"), strict=True):
        axes.set_ylabel(label, rotation=0, ha="right", va="center")
    mappable = grid[0, 0].images[0]
    part.colorbar(
        mappable, ax=list(grid.flat), shrink=0.7, label="mean cos theta;\ncorrelation", ticks=[-1, 0, 1]
    )


def _draw_correlogram(axes: Axes, data: RateMaps, channel: int) -> None:
    show_picture(axes, data.correlograms[channel], (-1, 1), DIVERGING_MAP)
    scores = data.scores[channel]
    axes.set_xlabel(_name_scores(scores), fontsize=7, labelpad=2)


def _name_scores(scores: GridScores | None) -> str:
    return "undefined" if scores is None else f"60°: {scores.sixty:.1f}\n90°: {scores.ninety:.1f}"


def _draw_retrieval(part: SubFigure, data: RateMaps) -> None:
    grid = part.subplots(1, max(len(data.retrieval), 1), squeeze=False)[0]
    for axes, target, weights in zip(grid, data.remembered, data.retrieval, strict=True):
        show_picture(axes, weights, (0, 1), "Blues")
        axes.plot(target[1], target[0], "x", color=VERMILION, markersize=5)
        peak = np.nanmax(weights)
        axes.set_xlabel(f"peak {peak:.2f}", fontsize=7.5, labelpad=2)
    grid[0].set_ylabel("weight of\none place's\nmemories", rotation=0, ha="right", va="center")
    part.colorbar(grid[0].images[0], ax=list(grid), shrink=0.8, label="memory weight", ticks=[0, 1])


def _radians(residual: float) -> str:
    return f"{residual:.2f} rad" if residual >= 0.005 else "< 0.005 rad"


def describe_rate_maps(data: RateMaps) -> str:
    """The caption."""
    rows, columns = data.visits.shape
    defined = [scores for scores in data.scores if scores is not None]
    if defined:
        sixty, ninety = (np.median([s.sixty for s in defined]), np.median([s.ninety for s in defined]))
        scores = (
            f"Grid scores, median of {count(len(defined), 'channel')} where they are defined: {sixty:.2f} at "
            f"60° and {ninety:.2f} at 90°. A channel is a plane wave and has neither symmetry; a large "
            "hexagonal map has about 1.4 at 60°, a square one about 1.9 at 90°."
        )
    else:
        scores = "The map is too small for grid scores: undefined for every channel."
    return (
        f"One walk of {count(int(data.visits.sum()), 'step')} on {rows} × {columns} cells of one link. Maps "
        f"are sums over occupancy, both smoothed by a Gaussian of {SMOOTHING} links; white where the walk "
        f"never was. Above: {count(len(choose_channels(data)), 'channel')} of {len(data.channels)}, from the "
        f"one that cancels best to the worst (in red: a loop leaves more than {JUNK_RESIDUAL} rad), and "
        f"autocorrelograms where 20 pairs of places or more support a lag. {scores} Below: total weight of "
        "the memories of one place (cross), by where the walker is."
    )
