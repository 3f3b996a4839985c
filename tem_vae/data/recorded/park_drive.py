"""A car's drive: its odometry, and trees that it saw. That of Victoria Park comes with ``tem_vae[slam]``."""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.errors import ConfigurationError

_INSTALL = "pip install 'tem_vae[slam]'"


class Sightings(NamedTuple):
    """Trees that were seen.

    Attributes:
        steps: At which pose, rising, (sightings,).
        offsets: Where the tree was from the car: metres ahead and to the left, (sightings, 2).
    """

    steps: IntArray
    offsets: FloatArray


class Drive(NamedTuple):
    """What was recorded on a drive.

    Attributes:
        odometry: What each step did, in the frame of the car before it: metres ahead, metres to the left,
            radians to the left, (time - 1, 3).
        sightings: The trees that were seen.
    """

    odometry: FloatArray
    sightings: Sightings


def find_drive() -> Path:
    """The file of Victoria Park in the package gtsam, which is not imported.

    Raises:
        ConfigurationError: The package is not installed, or has no such file.
    """
    found = find_spec("gtsam")
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(f"gtsam is not installed; install it with: {_INSTALL}")
    path = Path(found.submodule_search_locations[0], "Data", "victoria_park.txt")
    if not path.is_file():
        raise ConfigurationError(f"{path} is not there; install gtsam anew: {_INSTALL}")
    return path


def read_drive(path: Path) -> Drive:
    """Read a graph of poses and landmarks.

    A line is ``ODOMETRY i j dx dy dtheta ...`` or ``LANDMARK i l dx dy ...``, and whatever else stands in it,
    such as information matrices, is not looked at. Poses follow each other; which tree was seen is not read.

    Args:
        path: The file.

    Raises:
        ConfigurationError: A line is of another form, a step does not begin at the last pose, or there is no
            step.
    """
    odometry: list[list[float]] = []
    seen: list[int] = []
    offsets: list[list[float]] = []
    poses: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        kind, pose, other, values = _words(line)
        poses = poses or {pose: 0}
        if (
            kind == "ODOMETRY"
            and len(values) == 3
            and poses.get(pose) == len(odometry)
            and other not in poses
        ):
            poses[other] = len(poses)
            odometry.append(values)
        elif kind == "LANDMARK" and len(values) >= 2 and pose in poses:
            seen.append(poses[pose])
            offsets.append(values[:2])
        elif line.strip():
            raise ConfigurationError(
                f"{path}, line {number}: {line[:80]!r} is neither a step from the last pose to a new one, "
                "ODOMETRY i j dx dy dtheta, nor a tree seen from a pose before it, LANDMARK i l dx dy"
            )
    if not odometry:
        raise ConfigurationError(f"{path} has no line that begins with ODOMETRY: there is no drive in it")
    order = np.argsort(seen, kind="stable")
    sightings = Sightings(np.array(seen, np.int64)[order], np.array(offsets).reshape(-1, 2)[order])
    return Drive(np.array(odometry), sightings)


def _words(line: str) -> tuple[str, str, str, list[float]]:
    """A kind of line, two keys and up to three numbers; empty where they cannot be read."""
    kind, pose, other, *numbers = [*line.split(), "", "", ""]
    try:
        return kind, pose, other, [float(word) for word in numbers[:3] if word]
    except ValueError:
        return kind, pose, other, []


def dead_reckon(odometry: FloatArray) -> FloatArray:
    """Poses from the origin on, heading along x: x, y and heading, not wrapped, (time, 3)."""
    heading = np.concatenate([[0.0], odometry[:, 2].cumsum()])
    return along(heading, odometry)


def along(heading: FloatArray, odometry: FloatArray) -> FloatArray:
    """Poses from the origin on with headings from elsewhere, (time, 3): of odometry are only the lengths."""
    steps = turned(odometry[:, :2], heading[:-1])
    positions = np.concatenate([np.zeros((1, 2)), steps.cumsum(axis=0)])
    return np.concatenate([positions, heading[:, None]], axis=1)


def calibrated(odometry: FloatArray, heading: FloatArray, metres: float) -> FloatArray:
    """Odometry whose turns are a dtheta + b ds, with a and b by least squares on the beginning of a drive.

    A wheel that steers a little to one side makes b, a gain that is a little off makes a.

    Args:
        odometry: As recorded.
        heading: What the headings were, radians, not wrapped, (time,).
        metres: The length of the beginning.
    """
    turns, lengths = odometry[:, 2].cumsum(), np.hypot(odometry[:, 0], odometry[:, 1]).cumsum()
    known = lengths <= metres
    told = np.stack([turns, lengths], axis=1)
    gain, bias = np.linalg.lstsq(told[known], (heading[1:] - heading[0])[known])[0]
    corrected = odometry.copy()
    corrected[:, 2] = gain * odometry[:, 2] + bias * np.hypot(odometry[:, 0], odometry[:, 1])
    return corrected


def turned(vectors: FloatArray, angles: FloatArray) -> FloatArray:
    """Vectors of the plane turned to the left, (*, 2) by (*)."""
    cosine, sine = np.cos(angles), np.sin(angles)
    x, y = vectors[..., 0], vectors[..., 1]
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)
