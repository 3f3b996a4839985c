"""Figures: the phases of actions and drift in loops; the map of a world in location codes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure, SubFigure

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.report.location_codes import (
    JUNK_RESIDUAL,
    ActionPhases,
    LoopDrift,
    WorldMap,
)
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    ORDER_MAP,
    PHASE_MAP,
    WIDTH,
    count,
    enumerate_words,
    per_cent,
    say,
    sentence_figure,
    split,
    styled,
)

_NO_OPPOSITES = "No two actions were seen to undo each other on these walks: there are no loops to close."
_FLOOR = 1e-3  # radians; residuals below are drawn there
_HARDLY = 0.1  # radians
TOO_FEW_PLACES = "The walk saw fewer than three places: there is no map to show."


@styled
def draw_phases(phases: ActionPhases, drift: LoopDrift | None) -> Figure:
    """Rotations by action and channel, what they leave in a loop, and drift by length."""
    figure = Figure(figsize=(WIDTH, 5.4))
    top, bottom = split(figure, 2, 1, heights=(1, 1.15))
    order = np.argsort(phases.worst_residual, kind="stable")
    _draw_rotations(top, phases, order)
    residual, loops = bottom.subplots(1, 2)
    _draw_residuals(residual, phases, order)
    _draw_drift(loops, drift)
    return figure


def _draw_rotations(part: SubFigure, phases: ActionPhases, order: IntArray) -> None:
    axes = part.add_subplot()
    image = axes.imshow(
        phases.phases[:, order],
        cmap=PHASE_MAP,
        vmin=-np.pi,
        vmax=np.pi,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_yticks(range(len(phases.names)), phases.names)
    axes.grid(False)
    axes.set(xlabel="channel, by what the worst loop leaves")
    axes.set_title("Rotation by each action")
    bar = part.colorbar(image, ax=axes, label="radians", ticks=[-np.pi, 0, np.pi])
    bar.ax.set_yticklabels(["−π", "0", "π"])


def _draw_residuals(axes: Axes, phases: ActionPhases, order: IntArray) -> None:
    if not phases.loops:
        say(axes, _NO_OPPOSITES)
        return
    styles = ((BLUE, "o"), (ORANGE, "^"), (GREY, "s"), (BLACK, "x"))
    for loop, residual, (color, marker) in zip(
        phases.loops, phases.residuals, styles * len(phases.loops), strict=False
    ):
        name = " + ".join(phases.names[action] for action in loop)
        axes.plot(np.maximum(residual[order], _FLOOR), marker, color=color, markersize=3, label=name)
    axes.axhline(JUNK_RESIDUAL, color=BLACK, linewidth=0.8, linestyle=":")
    axes.set(ylabel="|sum| modulo 2π (rad)", xlabel="channel, in the same order", ylim=(_FLOOR / 1.5, 5))
    axes.set_yscale("log")
    axes.set_title("Left over after there and back")
    axes.legend()


def _draw_drift(axes: Axes, drift: LoopDrift | None) -> None:
    if drift is None:
        say(axes, _NO_OPPOSITES)
        return
    _draw_band(axes, drift, drift.distances, ORANGE, "all channels", "s-")
    if np.isfinite(drift.sound).all():
        _draw_band(axes, drift, drift.sound, BLUE, "channels that cancel", "o--")
    axes.axhline(drift.one_step, color=GREY, linewidth=0.9, linestyle="-.", label="neighboring place")
    if drift.bandwidth is not None:
        axes.axhline(drift.bandwidth, color=BLACK, linewidth=0.9, linestyle=":", label="kernel width lambda")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="loop length (actions)", ylabel="distance from the start", ylim=(0, 1.9))
    axes.set_title("Drift around closed loops")
    axes.legend(fontsize=7.5, ncols=2, loc="upper left")


def _draw_band(axes: Axes, drift: LoopDrift, values: FloatArray, color: str, label: str, line: str) -> None:
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=1)
    axes.fill_between(drift.lengths, low, high, color=color, alpha=0.2, linewidth=0)
    axes.plot(drift.lengths, middle, line, color=color, markersize=3.5, label=label)


def describe_phases(phases: ActionPhases, drift: LoopDrift | None) -> str:
    """The caption."""
    channels = phases.phases.shape[1]
    idle = int((np.abs(phases.phases) < _HARDLY).all(axis=0).sum())
    text = (
        f"Rotations of {count(channels, 'channel')} by {count(len(phases.names), 'action')}; {idle} hardly "
        f"turn, by less than {_HARDLY} rad whatever the action."
    )
    if not phases.loops:
        return f"{text} {_NO_OPPOSITES}"
    loops = [" + ".join(phases.names[action] for action in loop) for loop in phases.loops]
    medians = [f"{name} {np.median(r):.2f} rad" for name, r in zip(loops, phases.residuals, strict=True)]
    junk = int(phases.junk.sum())
    text = (
        f"{text} Actions that lead back leave, in the median channel: {enumerate_words(medians)}; less than "
        f"{_FLOOR} rad is drawn as {_FLOOR}. In {junk} channels ({per_cent(junk / channels)}) some loop "
        f"leaves more than {JUNK_RESIDUAL} rad (dotted): they never learned to cancel. They add about as "
        "much to the distance to every memory, and so hardly change how memories compare."
    )
    if drift is None:
        return f"{text} {_NO_OPPOSITES}"
    return (
        f"{text} Drift: distance of location codes (at most 2, √2 between unrelated ones) over "
        f"{count(drift.distances.shape[1], 'random loop')} a length, as many actions there as back in any "
        f"order; line: median, band: 5 to 95 %. At length {drift.lengths[-1]}: "
        f"{np.median(drift.distances[-1]):.2f}."
    )


@styled
def draw_world_map(data: WorldMap | None) -> Figure:
    """Principal components of the places' codes, coloured by column and by row."""
    if data is None:
        return sentence_figure(TOO_FEW_PLACES)
    figure = Figure(figsize=(WIDTH, 4.6))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, axis, name in zip(panels, (0, 1), ("x", "y"), strict=True):
        segments = data.coordinates[data.links]
        axes.add_collection(LineCollection(list(segments), colors="#cccccc", linewidths=0.7, zorder=1))
        points = axes.scatter(
            x=data.coordinates[:, 0],
            y=data.coordinates[:, 1],
            c=data.positions[:, axis],
            cmap=ORDER_MAP,
            s=28,
            zorder=2,
            edgecolors="white",
            linewidths=0.4,
        )
        figure.colorbar(points, ax=axes, location="bottom", label=f"color: {name} of the place (links)")
        axes.set_xlabel("first component")
    panels[0].set_ylabel("second component")
    return figure


def describe_world_map(data: WorldMap | None) -> str:
    """The caption."""
    if data is None:
        return TOO_FEW_PLACES
    first, second = data.explained
    return (
        f"Mean location codes of {count(len(data.positions), 'place')} of one world along their two main "
        f"directions, which hold {per_cent(first)} and {per_cent(second)} of the variance; lines: links "
        "walked. A torus with many frequencies spreads the variance over many directions, so two show a part "
        "only."
    )
