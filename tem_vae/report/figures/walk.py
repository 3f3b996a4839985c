"""A walk through a world, and what was predicted before it was seen."""

from collections import Counter

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from tem_vae.arrays import IntArray
from tem_vae.report.appearance import Appearance
from tem_vae.report.figures.walk_map import (
    draw_links,
    draw_percepts,
    draw_weights,
    frame_map,
    mark_move,
    mark_walker,
    weights_so_far,
)
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import BLUE, VERMILION, WIDTH, count, show_picture, show_sentence, split, styled
from tem_vae.report.subject import Subject, spread_evenly
from tem_vae.report.walk_trace import StepKind, WalkTrace

_SHOWN = 4


def illustrate_walk(subject: Subject) -> Illustration:
    """A walk, step by step."""
    trace, appearance = subject.trace, subject.appearance
    return Illustration(
        "walk",
        "A walk: predicted before it is seen",
        draw_walk(trace, appearance),
        describe_walk(trace, appearance),
        trace.tables(),
    )


_PREFERRED: tuple[StepKind, ...] = ("zero-shot link", "revisit", "first visit", "stay", "start")


@styled
def draw_walk(trace: WalkTrace, appearance: Appearance) -> Figure:
    """The world on the left; on the right some moves with memory, prediction and percept."""
    kind, steps = choose_steps(trace)
    figure = Figure(figsize=(WIDTH, 3.9))
    left, right = split(figure, 1, 2, widths=(1.0, 1.15))
    _draw_world(left, trace, steps, appearance)
    _draw_moves(right, trace, kind, steps, appearance)
    return figure


def choose_steps(trace: WalkTrace) -> tuple[StepKind, IntArray]:
    """The most telling kind of step that the walk has, and a few steps of it, spread over the walk."""
    kind = next(kind for kind in _PREFERRED if len(trace.steps(kind)))
    return kind, spread_evenly(trace.steps(kind), _SHOWN)


def _draw_world(part: SubFigure, trace: WalkTrace, steps: IntArray, appearance: Appearance) -> None:
    axes = part.add_subplot()
    last = int(steps[-1])
    draw_links(axes, trace, last)
    draw_percepts(axes, trace, last, appearance)
    frame_map(axes, trace.layout)
    for number, step in enumerate(steps, start=1):
        start, end = trace.positions[max(step - 1, 0)], trace.positions[step]
        mark_move(axes, start, end)
        axes.annotate(
            str(number),
            xy=tuple((start + end) / 2),
            xytext=(5, 4),
            textcoords="offset points",
            color="white",
            fontsize=7.5,
            fontweight="bold",
            bbox={"boxstyle": "circle,pad=0.15", "facecolor": VERMILION, "edgecolor": "none"},
            zorder=6,
        )
    part.suptitle(f"The world: last seen at each place, by step {last}", fontsize=9.5)


def _draw_moves(
    part: SubFigure, trace: WalkTrace, kind: StepKind, steps: IntArray, appearance: Appearance
) -> None:
    columns = max(len(steps), 3)
    grid = part.subplots(3, columns, squeeze=False, height_ratios=(1, 1, 1))
    for column in range(columns):
        if column < len(steps):
            _draw_move(list(grid[:, column]), trace, int(steps[column]), column + 1, appearance)
        else:
            for axes in grid[:, column]:
                axes.set_axis_off()
    for axes, label in zip(grid[:, 0], ("where memory\nlooked", "predicted", "seen"), strict=True):
        axes.text(-0.14, 0.5, label, transform=axes.transAxes, ha="right", va="center", fontsize=9)
    title = "Zero-shot links: moves never walked before" if kind == "zero-shot link" else f"Steps: {kind}"
    part.suptitle(title, fontsize=9.5)


def _draw_move(cells: list[Axes], trace: WalkTrace, step: int, number: int, appearance: Appearance) -> None:
    looked, predicted, seen = cells
    weights = weights_so_far(trace, step)
    if step:
        places = len(set(trace.places.tolist()))
        draw_weights(looked, trace.layout, weights, marker_size=min(7.0, 50 / max(places, 1) ** 0.5))
        frame_map(looked, trace.layout)
        mark_walker(looked, trace.positions[step], size=7.5)
    else:
        show_sentence(looked, "nothing yet")
    looked.set_title(f"{number}: step {step}", fontsize=8, loc="center")
    show_picture(predicted, appearance.picture(trace.predicted[step]), appearance.value_range)
    show_picture(seen, appearance.picture(trace.percepts[step]), appearance.value_range)
    if trace.classes is not None:
        right = trace.classes.right[step]
        label = f"{trace.classes.expected[step]} {'✓' if right else '✗'}"
        predicted.set_xlabel(label, color=BLUE if right else VERMILION, labelpad=2)
        seen.set_xlabel(str(trace.classes.seen[step]), labelpad=2)


def describe_walk(trace: WalkTrace, appearance: Appearance) -> str:
    """The caption."""
    kinds = Counter(trace.kinds)
    kind, steps = choose_steps(trace)
    shape = "" if appearance.is_image else " Percepts are shown as grids of features"
    if shape:
        shape += ", on the map by class." if trace.classes is not None else "."
    named = " with the class that memory names," if trace.classes is not None else ""
    nothing = (
        ""
        if kind == "zero-shot link"
        else " The walk has no zero-shot link: no unwalked link led to a place seen before."
    )
    scored = ""
    if trace.classes is not None and kind != "start":
        right = int(trace.classes.right[trace.steps(kind)].sum())
        such = count(len(trace.steps(kind)), "such step")
        scored = f" Of the walk's {such} memory named the class right in {right}."
    return (
        f"One held-out walk of {count(len(trace.places), 'step')} that was not in training: "
        f"{count(kinds['first visit'], 'first visit')}, {count(kinds['revisit'], 'revisit')} over known "
        f"links, {count(kinds['zero-shot link'], 'zero-shot link')}. Left: arrows mark the {len(steps)} "
        "steps shown on the right, by number. Right: the weight of memory on places (squares, darker is "
        "more, on a square-root scale; ring: the walker), the percept decoded from it before it was seen,"
        f"{named} and the percept then seen.{scored}{nothing}{shape}"
    )
