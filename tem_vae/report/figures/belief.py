"""What a model with doubts believed along a walk: which actions were wrong, and where it might be."""

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.data import UnknownTruthError
from tem_vae.report.figures.walk_map import draw_links, draw_weights, frame_map, mark_walker, weights_so_far
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import BLUE, ORANGE, VERMILION, WIDTH, count, split, styled
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.report.walk_trace import WalkTrace
from tem_vae.seeding import seeded

_BEFORE_AND_AFTER = (-1, 0, 4)


@dataclass(frozen=True)
class BeliefOfWalk:
    """One walk, and what was believed of it.

    Attributes:
        trace: The walk; its memory weights are means over hypotheses.
        wrong: The probability that the action that led to a step was not what was recorded, (time,).
        spread: The mean squared distance of location codes from their mean, (time,).
        slipped: Whether it was not; None where nobody knows, (time,).
    """

    trace: WalkTrace
    wrong: FloatArray
    spread: FloatArray
    slipped: BoolArray | None

    @property
    def shown(self) -> IntArray:
        """Steps around the one of greatest doubt about where the walk is."""
        steps = int(self.spread.argmax()) + np.array(_BEFORE_AND_AFTER)
        return steps.clip(1, max(len(self.spread) - 1, 1))


def illustrate_belief(subject: Subject) -> Illustration:
    """What was believed along the first walk.

    Raises:
        UnknownTruthError: The model has no doubts, or places or positions are not known.
    """
    data = measure_belief(subject)
    return Illustration(
        "belief",
        "Belief: which actions were wrong, and where the walk may be",
        draw_belief(data),
        describe_belief(data),
        [
            Table(
                "belief",
                {
                    "step": np.arange(len(data.wrong)),
                    "probability that the last action was wrong": data.wrong,
                    "spread of location codes": data.spread,
                }
                | ({} if data.slipped is None else {"it was": data.slipped}),
            )
        ],
    )


def measure_belief(subject: Subject) -> BeliefOfWalk:
    """Follow the first walk once more, and ask what was believed."""
    walk = subject.shown_walk
    with seeded(subject.seed):
        trace = subject.trace
    with seeded(subject.seed):
        prediction = subject.model.predict(walk.percepts, walk.actions)
    if prediction.belief is None:
        raise UnknownTruthError("needs a model that doubts recorded actions: belief.hypotheses=32")
    weights = prediction.memory_weights[0].double().numpy()
    happened = walk.truth and walk.truth.actions
    slipped = None
    if happened is not None and not happened.is_floating_point():
        slipped = np.concatenate([[False], (happened != walk.actions)[0].numpy()])
    return BeliefOfWalk(
        replace(trace, memory_weights=weights),
        np.concatenate([[0.0], prediction.belief.wrong[0].double().numpy()]),
        prediction.belief.spread[0].double().numpy(),
        slipped,
    )


@styled
def draw_belief(data: BeliefOfWalk) -> Figure:
    """Maps around the moment of greatest doubt; below, doubts at every step."""
    figure = Figure(figsize=(WIDTH, 4.6))
    upper, lower = split(figure, 2, 1, heights=(1.5, 1))
    for axes, step in zip(upper.subplots(1, len(data.shown)), data.shown.tolist(), strict=True):
        _draw_map(axes, data.trace, step)
    upper.suptitle("Where memory looks, over all hypotheses; ring: where the walk is", fontsize=9.5)
    axes = lower.subplots()
    steps = np.arange(len(data.wrong))
    axes.plot(steps, data.wrong, color=BLUE, linewidth=1.0, label="the last action was wrong: probability")
    axes.plot(
        steps, data.spread, color=ORANGE, linewidth=1.0, linestyle="--", label="spread of location codes"
    )
    if data.slipped is not None and data.slipped.any():
        at = steps[data.slipped]
        axes.scatter(at, np.full(len(at), 1.06), marker="v", s=14, color=VERMILION, label="it was wrong")
    axes.set(xlabel="step", ylim=(0, 1.12), xlim=(0, max(len(steps) - 1, 1)))
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.3), ncols=3)
    return figure


def _draw_map(axes: Axes, trace: WalkTrace, step: int) -> None:
    step = min(step, len(trace.places) - 1)
    draw_links(axes, trace, step)
    places = len(set(trace.places.tolist()))
    draw_weights(axes, trace.layout, weights_so_far(trace, step), marker_size=min(12.0, 80 / places**0.5))
    frame_map(axes, trace.layout)
    mark_walker(axes, trace.positions[step], size=11)
    axes.set_title(f"step {step}", fontsize=8, loc="center")


def describe_belief(data: BeliefOfWalk) -> str:
    """The caption."""
    found = ""
    if data.slipped is not None:
        slips = int(data.slipped.sum())
        caught = int((data.wrong[data.slipped] > 0.5).sum())
        false = int((data.wrong[~data.slipped] > 0.5).sum())
        found = (
            f" Of {count(slips, 'wrong action')} {caught} were believed to be wrong as soon as the next "
            f"percept was known, and {false} of the others."
        )
    return (
        f"One held-out walk of {count(len(data.wrong), 'step')}. Above: the weight of memory on places, on "
        "average over hypotheses, before, at and after the step of greatest doubt about where the walk is. "
        "Below: how sure the model is, at every step, that the action that led there is not what was "
        f"recorded, and how far apart its hypotheses are.{found}"
    )
