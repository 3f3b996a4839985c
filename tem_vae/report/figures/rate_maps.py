"""Rate maps of location channels and of memory, with autocorrelograms and grid scores."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from scipy import ndimage

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data import Walks
from tem_vae.model import TemVae
from tem_vae.report.action_phases import LARGEST_RESIDUAL, ActionPhases
from tem_vae.report.grid_score import GridScores, autocorrelogram, grid_scores
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    DIVERGING_MAP,
    VERMILION,
    WIDTH,
    count,
    show_picture,
    split,
    styled,
)
from tem_vae.report.subject import Subject, spread_evenly
from tem_vae.report.table import Table, flatten_array
from tem_vae.report.walk_trace import WalkTrace

SMOOTHING = 0.5  # deviation of the Gaussian, in links
_AXES = ("map", "row", "column")
_SHOWN = 6
_MOST_CELLS = 100  # of a map, a side


def illustrate_rate_maps(subject: Subject) -> Illustration:
    """Rate maps, autocorrelograms and grid scores."""
    data = measure_rate_maps(subject.model, subject.shown_walk, subject.trace, subject.phases)
    return Illustration(
        "rate_maps",
        "Rate maps of location channels and of memory",
        draw_rate_maps(data),
        describe_rate_maps(data),
        data.tables(),
    )


@dataclass(frozen=True)
class RateMaps:
    """Mean activities by place on one walk, NaN where it never was.

    Attributes:
        channels: Mean of cos theta for every channel, (channels, rows, columns).
        residuals: What the worst loop of actions leaves in each channel, radians, (channels,).
        correlograms: Of the channels, (channels, 2 rows − 1, 2 columns − 1).
        scores: Grid scores of the channels, None where the map is too small.
        remembered: The places whose retrieval is mapped, as (row, column), (targets, 2).
        retrieval: Mean weight of all memories of such a place, by where the walker is,
            (targets, rows, columns).
        visits: Steps spent at each place, (rows, columns).
    """

    channels: FloatArray
    residuals: FloatArray
    correlograms: FloatArray
    scores: tuple[GridScores | None, ...]
    remembered: IntArray
    retrieval: FloatArray
    visits: FloatArray

    def tables(self) -> list[Table]:
        """Every map, and the scores."""
        nan = float("nan")
        scores = {
            "channel": np.arange(len(self.scores)),
            "grid score at 60 degrees": np.array([s.sixty if s else nan for s in self.scores]),
            "grid score at 90 degrees": np.array([s.ninety if s else nan for s in self.scores]),
            "worst residual (rad)": self.residuals,
        }
        return [
            Table("grid_scores", scores),
            flatten_array("rate_maps_channels", self.channels, _AXES, "mean cos theta"),
            flatten_array("rate_maps_autocorrelograms", self.correlograms, _AXES, "correlation"),
            flatten_array("rate_maps_retrieval", self.retrieval, _AXES, "memory weight"),
        ]


@torch.no_grad()
def measure_rate_maps(model: TemVae, walk: Walks, trace: WalkTrace, phases: ActionPhases) -> RateMaps:
    """Map the activity of every location channel and the retrieval of a few places.

    Args:
        model: The model.
        walk: A batch of one walk, without padding.
        trace: Of the same walk.
        phases: Of the same model.
    """
    cells = to_cells(trace.positions, link_length(trace.positions, trace.places))
    codes = model.integrator(walk.actions)[0].double().numpy()
    n_channels = codes.shape[1] // 2
    cosines = codes[:, :n_channels] * np.sqrt(n_channels)
    channels = np.stack([rate_map(cells, channel) for channel in cosines.T])
    correlograms = np.stack([autocorrelogram(channel) for channel in channels])
    targets = choose_targets(trace.places)
    retrieval = [rate_map(cells, trace.memory_weights[:, trace.places == place].sum(1)) for place in targets]
    first = [int(np.flatnonzero(trace.places == place)[0]) for place in targets]
    return RateMaps(
        channels,
        phases.worst_residual,
        correlograms,
        tuple(grid_scores(c) for c in correlograms),
        cells[first],
        np.stack(retrieval),
        _sum_by_cell(cells, np.ones(len(cells))),
    )


def link_length(positions: FloatArray, places: IntArray) -> float:
    """How far a usual move leads, in the unit of positions; at least a hundredth of how far they reach.

    Args:
        positions: (time, 2); those of recorded walks have any unit.
        places: (time,).
    """
    lengths = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    lengths = lengths[(np.diff(places) != 0) & (lengths > 0)]
    shortest = float(np.ptp(positions, axis=0).max()) / _MOST_CELLS
    return max(float(np.median(lengths)), shortest) if len(lengths) else 1.0


def to_cells(positions: FloatArray, link: float = 1.0) -> IntArray:
    """Row and column of every position, (time, 2) -> (time, 2): one link a cell, the first row on top."""
    x, y = positions.T / link
    return np.column_stack([np.floor(y.max() - y + 0.5), np.floor(x - x.min() + 0.5)]).astype(np.int64)


def rate_map(cells: IntArray, activity: FloatArray, smoothing: float = SMOOTHING) -> FloatArray:
    """Mean activity in every cell: smoothed sums over smoothed occupancy; NaN where the walk never was.

    Args:
        cells: Row and column of every step, (time, 2).
        activity: At every step, (time,).
        smoothing: Deviation of the Gaussian, in cells.
    """
    total, occupancy = _sum_by_cell(cells, activity), _sum_by_cell(cells, np.ones(len(cells)))
    smooth_total = ndimage.gaussian_filter(total, smoothing, mode="constant")
    smooth_occupancy = ndimage.gaussian_filter(occupancy, smoothing, mode="constant")
    rates = np.full(total.shape, np.nan)
    np.divide(smooth_total, smooth_occupancy, out=rates, where=occupancy > 0)
    return rates


def choose_targets(places: IntArray, count: int = 4) -> IntArray:
    """Places spread evenly over those that the walk saw, in the order of their numbers, ends left out."""
    seen = np.unique(places)
    return spread_evenly(seen, count + 2)[1:-1] if len(seen) > count else seen


def _sum_by_cell(cells: IntArray, values: FloatArray) -> FloatArray:
    sums = np.zeros(cells.max(axis=0) + 1)
    np.add.at(sums, (cells[:, 0], cells[:, 1]), values)
    return sums


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
    return spread_evenly(order, _SHOWN)


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
        color = VERMILION if residual > LARGEST_RESIDUAL else "black"
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
        f"one that cancels best to the worst (in red: a loop leaves more than {LARGEST_RESIDUAL} rad), and "
        f"autocorrelograms where 20 pairs of places or more support a lag. {scores} Below: total weight of "
        "the memories of one place (cross), by where the walker is."
    )
