"""Path integration: the rotation that each action adds, and drift in closed loops."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.model import MemoryPrior, TemVae
from tem_vae.report.action_phases import LARGEST_RESIDUAL, ActionPhases
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    PHASE_MAP,
    WIDTH,
    count,
    enumerate_words,
    per_cent,
    plain,
    show_sentence,
    split,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table

_LENGTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
_LOOPS = 200
_NO_OPPOSITES = "No two actions are known to undo each other: there are no loops to close."
_FLOOR = 1e-3  # radians; residuals below are drawn there
_HARDLY = 0.1  # radians


def illustrate_path_integration(subject: Subject) -> Illustration:
    """The rotations that actions add, and drift in loops."""
    drift = measure_drift(subject.model, subject.phases, subject.generator())
    return Illustration(
        "path_integration",
        "Path integration: what each action adds",
        draw_path_integration(subject.phases, drift),
        describe_path_integration(subject.phases, drift),
        [*subject.phases.tables(), *(drift.tables() if drift else [])],
    )


@dataclass(frozen=True)
class LoopDrift:
    """How far the location code is from where it began after loops that end where they began.

    Distances are those of the location pseudometric, at most 2.

    Attributes:
        lengths: Actions in a loop, (lengths,).
        distances: Of all channels, (lengths, loops).
        closing: Of the channels in which opposite actions cancel; NaN if there are none, (lengths, loops).
        open: Of the others; NaN if there are none, (lengths, loops).
        bandwidth: lambda, the width of the memory kernel; None for a prior without memory.
        one_step: Mean distance between neighboring places.
    """

    lengths: IntArray
    distances: FloatArray
    closing: FloatArray
    open: FloatArray
    bandwidth: float | None
    one_step: float

    def tables(self) -> list[Table]:
        """Every loop."""
        length, loop = np.indices(self.distances.shape).reshape(2, -1)
        columns = {
            "loop length (actions)": self.lengths[length],
            "loop": loop,
            "drift, all channels": self.distances.ravel(),
            "drift, channels that close": self.closing.ravel(),
            "drift, channels that do not": self.open.ravel(),
        }
        return [Table("loop_drift", columns)]


@torch.no_grad()
def measure_drift(model: TemVae, phases: ActionPhases, rng: np.random.Generator) -> LoopDrift | None:
    """Walk random loops: as many actions there as back, in any order.

    Returns:
        The drift; None if no two actions are known to be opposite.
    """
    pairs = np.array(phases.opposites)
    if not len(pairs):
        return None
    memory, cancels = model.memory, torch.from_numpy(phases.cancels)
    drifts = []
    for length in _LENGTHS:
        halves = pairs[rng.integers(len(pairs), size=(_LOOPS, length // 2))]
        loops = rng.permuted(halves.reshape(_LOOPS, length), axis=1)
        codes = model.integrator(torch.from_numpy(loops))
        drifts.append(_channel_distance(codes[:, -1], codes[:, 0]))
    squared = torch.stack(drifts)
    moves = torch.from_numpy(pairs.reshape(-1, 1))
    step = model.integrator(moves)
    return LoopDrift(
        lengths=np.array(_LENGTHS),
        distances=squared.mean(dim=-1).sqrt().numpy(),
        closing=squared[..., cancels].mean(dim=-1).sqrt().numpy(),
        open=squared[..., ~cancels].mean(dim=-1).sqrt().numpy(),
        bandwidth=float(memory.precision) ** -0.5 if isinstance(memory, MemoryPrior) else None,
        one_step=float(_channel_distance(step[:, 1], step[:, 0]).mean(dim=-1).sqrt().mean()),
    )


def _channel_distance(codes: Tensor, others: Tensor) -> Tensor:
    """Squared distance on the circle of each channel, whose mean is that of the codes, (*, channels)."""
    channels = codes.shape[-1] // 2
    squared = (codes.double() - others.double()).square() * channels
    return squared[..., :channels] + squared[..., channels:]


@styled
def draw_path_integration(phases: ActionPhases, drift: LoopDrift | None) -> Figure:
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
    axes.set_yticks(range(len(phases.names)), map(plain, phases.names))
    axes.grid(False)
    axes.set(xlabel="channel, by what the worst loop leaves")
    axes.set_title("Rotation by each action")
    bar = part.colorbar(image, ax=axes, label="radians", ticks=[-np.pi, 0, np.pi])
    bar.ax.set_yticklabels(["−π", "0", "π"])


def _draw_residuals(axes: Axes, phases: ActionPhases, order: IntArray) -> None:
    if not phases.loops:
        show_sentence(axes, _NO_OPPOSITES)
        return
    styles = ((BLUE, "o"), (ORANGE, "^"), (GREY, "s"), (BLACK, "x"))
    for loop, residual, (color, marker) in zip(
        phases.loops, phases.residuals, styles * len(phases.loops), strict=False
    ):
        name = " + ".join(phases.names[action] for action in loop)
        axes.plot(np.maximum(residual[order], _FLOOR), marker, color=color, markersize=3, label=plain(name))
    axes.axhline(LARGEST_RESIDUAL, color=BLACK, linewidth=0.8, linestyle=":")
    axes.set(ylabel="|sum| modulo 2π (rad)", xlabel="channel, in the same order", ylim=(_FLOOR / 1.5, 5))
    axes.set_yscale("log")
    axes.set_title("Left over after there and back")
    axes.legend()


def _draw_drift(axes: Axes, drift: LoopDrift | None) -> None:
    if drift is None:
        show_sentence(axes, _NO_OPPOSITES)
        return
    _draw_band(axes, drift, drift.distances, GREY, "all channels", "-")
    if np.isfinite(drift.closing).all():
        _draw_band(axes, drift, drift.closing, BLUE, "channels that close", "o--")
    if np.isfinite(drift.open).all():
        _draw_band(axes, drift, drift.open, ORANGE, "channels that do not", "s-.")
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


def describe_path_integration(phases: ActionPhases, drift: LoopDrift | None) -> str:
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
    closing = int(phases.cancels.sum())
    text = (
        f"{text} Actions that lead back leave, in the median channel: {enumerate_words(medians)}; less than "
        f"{_FLOOR} rad is drawn as {_FLOOR}. Of {channels} channels {closing} "
        f"({per_cent(closing / channels)}) close: every such loop leaves at most {LARGEST_RESIDUAL} rad "
        "(dotted)."
    )
    if closing < channels:
        text += (
            " The others never learned to cancel; they add about as much to the distance to every memory, "
            "and so hardly change how memories compare."
        )
    return f"{text} {_describe_drift(drift) if drift else _NO_OPPOSITES}"


def _describe_drift(drift: LoopDrift) -> str:
    kinds = {
        "of all channels": drift.distances,
        "of those that close": drift.closing,
        "of those that do not": drift.open,
    }
    medians = [f"{np.median(d[-1]):.2f} {name}" for name, d in kinds.items() if np.isfinite(d).all()]
    return (
        "Drift: distance of location codes (at most 2, √2 between unrelated ones) over "
        f"{count(drift.distances.shape[1], 'random loop')} a length, as many actions there as back in any "
        f"order; line: median, band: 5 to 95 %. At length {drift.lengths[-1]}: {enumerate_words(medians)}."
    )
