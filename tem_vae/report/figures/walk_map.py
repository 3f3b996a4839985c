"""Parts of the map of a walk: places, links walked, weights on places, and the walker."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from tem_vae.arrays import FloatArray
from tem_vae.report.appearance import Appearance
from tem_vae.report.style import VERMILION, WEIGHT_MAP
from tem_vae.report.walk_trace import WalkTrace

_CELL = 0.42  # half the edge of a place's square, in links


def frame_map(axes: Axes, layout: FloatArray) -> None:
    """Room for every place, to scale, without axes: distances are in links."""
    seen = layout[np.isfinite(layout[:, 0])]
    low, high = seen.min(axis=0) - 0.6, seen.max(axis=0) + 0.6
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_axis_off()


def draw_links(axes: Axes, trace: WalkTrace, until: int) -> None:
    """The links walked up to a step."""
    segments = np.stack([trace.positions[:until], trace.positions[1 : until + 1]], axis=1)
    segments = np.unique(np.sort(segments, axis=1), axis=0)
    axes.add_collection(LineCollection(list(segments), colors="#c8c8c8", linewidths=1.2, zorder=1))


def draw_percepts(axes: Axes, trace: WalkTrace, until: int, appearance: Appearance) -> None:
    """At every place what was seen there last, up to a step: a picture, or the number of its class."""
    for place in np.unique(trace.places[: until + 1]):
        x, y = trace.layout[place]
        step = int(np.flatnonzero(trace.places[: until + 1] == place)[-1])
        if trace.classes is not None and not appearance.is_image:
            axes.text(x, y, str(trace.classes.seen[step]), ha="center", va="center", fontsize=8)
            continue
        low, high = appearance.value_range
        picture = appearance.picture(trace.percepts[step])
        extent = (x - _CELL, x + _CELL, y - _CELL, y + _CELL)
        axes.imshow(picture, cmap="gray_r", vmin=low, vmax=high, extent=extent, zorder=2)


def draw_weights(axes: Axes, layout: FloatArray, weights: FloatArray, marker_size: float) -> None:
    """A square a place, the darker the more weight; places not yet seen have no square.

    Args:
        axes: To draw on.
        layout: Where the places lie, (places, 2).
        weights: In [0, 1], NaN where a place has none, (places,).
        marker_size: Edge of a square in points.
    """
    known = np.isfinite(weights) & np.isfinite(layout[:, 0])
    axes.scatter(
        x=layout[known, 0],
        y=layout[known, 1],
        c=np.sqrt(weights[known]),
        cmap=WEIGHT_MAP,
        norm=Normalize(0, 1),
        marker="s",
        s=marker_size**2,
        edgecolors="#bbbbbb",
        linewidths=0.5,
        zorder=2,
    )


def weights_so_far(trace: WalkTrace, step: int) -> FloatArray:
    """The weight of each place at a step, NaN where it was not yet seen, (places,)."""
    weights = np.full(int(trace.places.max()) + 1, np.nan)
    seen = np.unique(trace.places[:step])
    weights[seen] = trace.looked_at(step)[seen]
    return weights


def mark_walker(axes: Axes, position: FloatArray, size: float) -> None:
    """A ring where the walker is."""
    x, y = position
    axes.scatter(x=x, y=y, s=size**2, facecolors="none", edgecolors=VERMILION, linewidths=1.6, zorder=4)


def mark_move(axes: Axes, start: FloatArray, end: FloatArray) -> None:
    """An arrow along a move."""
    style = {"arrowstyle": "-|>", "color": VERMILION, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=tuple(end), xytext=tuple(start), arrowprops=style, zorder=5)


def draw_trail(axes: Axes, positions: FloatArray) -> None:
    """Where the walker came from, the darker the later."""
    segments = np.stack([positions[:-1], positions[1:]], axis=1)
    shades = np.linspace(0.15, 0.9, len(segments))
    colors = [(0.35, 0.35, 0.35, shade) for shade in shades]
    axes.add_collection(LineCollection(list(segments), colors=colors, linewidths=1.8, zorder=3))
