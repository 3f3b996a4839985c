"""The walk as an animation: a GIF, one frame a step."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from tem_vae.report.appearance import Appearance
from tem_vae.report.figures.walk_map import (
    draw_links,
    draw_trail,
    draw_weights,
    frame_map,
    mark_walker,
    weights_so_far,
)
from tem_vae.report.illustration import rasterise
from tem_vae.report.style import BLUE, GREY, VERMILION, show_picture, styled
from tem_vae.report.walk_trace import WalkTrace

FRAMES = 120
_SIZE = (6.4, 3.6)  # inches
_TRAIL = 12
_COLORS = 128
_PALETTE_FRAMES = 6
_MILLISECONDS = {"zero-shot link": 900, "revisit": 250}
_OTHERWISE_MILLISECONDS = 180


def animated_steps(trace: WalkTrace) -> range:
    """The steps of the animation: from the start of the walk on."""
    return range(min(FRAMES, len(trace.places)))


def animate_walk(
    trace: WalkTrace,
    appearance: Appearance,
    path: Path,
    track: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> None:
    """Write the beginning of a walk as a GIF; zero-shot links stay longer.

    Args:
        trace: The walk.
        appearance: How percepts look.
        path: Of the GIF.
        track: Wraps the steps to show progress.
    """
    steps = animated_steps(trace)
    frames = [rasterise(draw_step(trace, step, appearance)) for step in track(steps)]
    palette = _choose_palette(frames)
    durations = [_MILLISECONDS.get(trace.kinds[step], _OTHERWISE_MILLISECONDS) for step in steps]
    indexed = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    indexed[0].save(path, save_all=True, append_images=indexed[1:], duration=durations, loop=0, optimize=True)


def _choose_palette(frames: list[Image.Image]) -> Image.Image:
    """Colors for all frames: those of a few, extremes kept, so that white stays white."""
    few = frames[:: max(len(frames) // _PALETTE_FRAMES, 1)]
    width, height = few[0].size
    strip = Image.new("RGB", (width, height * len(few)))
    for number, frame in enumerate(few):
        strip.paste(frame, (0, number * height))
    return strip.quantize(_COLORS, method=Image.Quantize.MAXCOVERAGE)


@styled
def draw_step(trace: WalkTrace, step: int, appearance: Appearance) -> Figure:
    """One step: where memory looks on the map, what it predicts, and what is then seen."""
    figure = Figure(figsize=_SIZE)
    figure.set_layout_engine("none")
    world = figure.add_axes((0.02, 0.04, 0.54, 0.82))
    _draw_world(world, trace, step)
    predicted, seen = (figure.add_axes((left, 0.28, 0.17, 0.36)) for left in (0.6, 0.8))
    if step:
        show_picture(predicted, appearance.picture(trace.predicted[step]), appearance.value_range)
    else:
        predicted.set_axis_off()
    show_picture(seen, appearance.picture(trace.percepts[step]), appearance.value_range)
    if trace.classes is not None:
        seen.set_xlabel(str(trace.classes.seen[step]))
        if step:
            color = BLUE if trace.classes.right[step] else VERMILION
            predicted.set_xlabel(str(trace.classes.expected[step]), color=color)
    predicted.set_title("predicted", loc="center")
    seen.set_title("then seen", loc="center")
    kind = trace.kinds[step]
    color = VERMILION if kind == "zero-shot link" else GREY
    figure.text(0.6, 0.86, f"step {step}: {kind}", color=color, fontsize=12, fontweight="bold")
    figure.text(0.03, 0.92, "where memory looks", fontsize=9.5)
    figure.text(0.6, 0.1, f"weight of novelty {trace.novelty[step]:.2f}", fontsize=9.5)
    return figure


def _draw_world(axes: Axes, trace: WalkTrace, step: int) -> None:
    draw_links(axes, trace, step)
    if step:
        places = np.isfinite(trace.layout[:, 0]).sum()
        draw_weights(
            axes, trace.layout, weights_so_far(trace, step), marker_size=min(20.0, 130 / places**0.5)
        )
    draw_trail(axes, trace.positions[max(0, step - _TRAIL) : step + 1])
    frame_map(axes, trace.layout)
    mark_walker(axes, trace.positions[step], size=14)
