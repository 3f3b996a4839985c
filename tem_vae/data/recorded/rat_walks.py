"""Real paths of rats, seen by simulated place cells. The paths come with an extra, ``tem_vae[ratinabox]``."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from tem_vae.arrays import FloatArray
from tem_vae.data.walk import Truth, Walks
from tem_vae.errors import ConfigurationError


class Track(NamedTuple):
    """Where a rat was.

    Attributes:
        times: When, in seconds, rising, (time,).
        positions: Where, in metres, (time, 2).
    """

    times: FloatArray
    positions: FloatArray


def load_track(rat: str) -> Track:
    """A path that comes with the package ratinabox, of which only the data is read.

    Args:
        rat: The name of its file: ``sargolini`` (10 minutes in a box of 1 m) or ``tanni`` (2 hours in one of
            3.5 by 2.5 m).

    Raises:
        ConfigurationError: The package is not installed, or has no such file.
    """
    found = find_spec("ratinabox")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(
            "ratinabox is not installed; install it with: pip install 'tem_vae[ratinabox]'"
        )
    path = Path(found.submodule_search_locations[0], "data", f"{rat}.npz")
    if not path.is_file():
        raise ConfigurationError(
            f"{path} is not there; install ratinabox anew: pip install 'tem_vae[ratinabox]'"
        )
    with np.load(path) as arrays:
        return Track(arrays["t"].astype(np.float64), arrays["pos"].astype(np.float64))


def resample(track: Track, rate: float) -> FloatArray:
    """Positions at evenly spaced times, between recorded ones on a straight line, (time, 2).

    Args:
        track: As recorded.
        rate: Positions a second.
    """
    times = np.arange(track.times[0], track.times[-1], 1 / rate)
    return np.stack([np.interp(times, track.times, axis) for axis in track.positions.T], axis=1)


def cut(positions: FloatArray, steps: int) -> FloatArray:
    """A path in pieces of so many positions, (pieces, steps, 2); what is left at its end is left out.

    Raises:
        ConfigurationError: The path is shorter than one piece.
    """
    number = len(positions) // steps
    if number == 0:
        raise ConfigurationError(
            f"steps = {steps}: the whole path has {len(positions)} steps at this rate; use fewer, or a "
            "higher rate"
        )
    return positions[: number * steps].reshape(number, steps, 2)


def walks_of(
    paths: FloatArray, sessions: int, cells: int, width: float, noise: float, seed: int
) -> tuple[Walks, list[int]]:
    """Walks along every path, each seen by place cells of its own, as if the cells remapped in between.

    The centers of the cells lie evenly at random in the box that holds the whole path. A cell's rate is
    exp(−½ d²/sigma²) at the distance d from its center, 1 at the peak, plus normal noise. An action is the
    displacement that leads to the next position.

    Args:
        paths: In metres, (paths, time, 2), all in one box.
        sessions: How often each path is walked.
        cells: How many there are.
        width: sigma, as a share of the root of the area of the box.
        noise: Deviation of the noise, as a share of the peak rate.
        seed: Decides centers and noise.

    Returns:
        The walks, and the number of the path of each.
    """
    rng = np.random.default_rng(seed)
    low, high = paths.min(axis=(0, 1)), paths.max(axis=(0, 1))
    sigma = width * np.sqrt(np.prod(high - low))
    walked = np.tile(np.arange(len(paths)), sessions)
    positions = paths[walked]
    centers = rng.uniform(low, high, (len(walked), cells, 2))
    rates = np.stack([_rates(*one, sigma) for one in zip(positions, centers, strict=True)])
    rates += noise * rng.standard_normal(rates.shape, dtype=np.float32)
    walks = Walks(
        percepts=torch.from_numpy(rates),
        actions=torch.from_numpy(np.diff(positions, axis=1).astype(np.float32)),
        mask=torch.ones(positions.shape[:2], dtype=torch.bool),
        truth=Truth(positions=torch.from_numpy(positions)),
    )
    return walks, walked.tolist()


def _rates(positions: FloatArray, centers: FloatArray, sigma: float) -> npt.NDArray[np.float32]:
    """Without noise, (time, cells)."""
    squared = ((positions[:, None] - centers) ** 2).sum(axis=-1)
    rates: npt.NDArray[np.float32] = np.exp(-0.5 * squared / sigma**2).astype(np.float32)
    return rates
