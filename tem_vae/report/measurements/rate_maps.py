"""Rate maps of location channels and of memory retrieval, with autocorrelograms and grid scores."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data import Walks
from tem_vae.model import TemVae
from tem_vae.report.grid_score import GridScores, autocorrelogram, grid_scores
from tem_vae.report.location_codes import ActionPhases
from tem_vae.report.table import Table, flatten_array
from tem_vae.report.walk_trace import WalkTrace

SMOOTHING = 0.5  # deviation of the Gaussian, in links
_AXES = ("map", "row", "column")


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
def measure_rate_maps(
    model: TemVae, walks: Walks, index: int, trace: WalkTrace, phases: ActionPhases
) -> RateMaps:
    """Map the activity of every location channel and the retrieval of a few places.

    Args:
        model: The model.
        walks: The batch that holds the walk.
        index: Which walk of the batch.
        trace: Of the same walk.
        phases: Of the same model.
    """
    cells = to_cells(trace.positions)
    codes = model.integrator(walks.actions[index : index + 1])[0].double().numpy()
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


def to_cells(positions: FloatArray) -> IntArray:
    """Row and column of every position, (time, 2) -> (time, 2): one link a cell, the first row on top."""
    x, y = positions.T
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
    """Places spread evenly over those that the walk saw, in the order of their numbers."""
    seen = np.unique(places)
    spread = np.linspace(0, len(seen) - 1, count + 2)[1:-1].round().astype(np.int64)
    chosen: IntArray = seen[np.unique(spread)]
    return chosen


def _sum_by_cell(cells: IntArray, values: FloatArray) -> FloatArray:
    sums = np.zeros(cells.max(axis=0) + 1)
    np.add.at(sums, (cells[:, 0], cells[:, 1]), values)
    return sums
