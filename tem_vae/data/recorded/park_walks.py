"""Walks through parks, a real one and simulated ones: what is seen is a map of the trees around the car."""

from typing import Literal, NamedTuple

import numpy as np
import torch

from tem_vae.arrays import FloatArray
from tem_vae.data.recorded.park_drive import (
    Drive,
    Sightings,
    along,
    calibrated,
    dead_reckon,
    find_drive,
    read_drive,
    turned,
)
from tem_vae.data.recorded.park_optimum import best_path
from tem_vae.data.walk import Truth, Walks, concatenate


class Eye(NamedTuple):
    """How trees around the car become a percept.

    Attributes:
        spacing: Metres driven between two percepts.
        trail: For how many metres a tree that was seen stays in view.
        reach: How far from the car the map goes, in metres, in both directions of both axes.
        cells: How many points of the map there are along an axis.
        width: Deviation of the bump that a tree makes in the map, in metres.
    """

    spacing: float
    trail: float
    reach: float
    cells: int
    width: float


def real_walk(eye: Eye, heading: Literal["odometry", "calibrated", "compass"], calibration: float) -> Walks:
    """The drive of Victoria Park; positions are those of `best_path`.

    Args:
        eye: How trees become percepts.
        heading: Which headings the car believes in: as recorded, calibrated, or those of `best_path`.
        calibration: Metres at the beginning on which `calibrated` fits its two constants.

    Raises:
        ConfigurationError: gtsam is not installed.
    """
    path = find_drive()
    drive, best = read_drive(path), best_path(path)
    if heading == "compass":
        believed = along(best[:, 2], drive.odometry)
    elif heading == "calibrated":
        believed = dead_reckon(calibrated(drive.odometry, best[:, 2], calibration))
    else:
        believed = dead_reckon(drive.odometry)
    return walk_of(drive, believed, eye, best[:, :2])


def simulated_walks(parks: int, metres: float, drift: float, eye: Eye, seed: int) -> Walks:
    """A walk in each of some simulated parks.

    Args:
        parks: How many.
        metres: How far the car drives in each.
        drift: Deviation of the drift of the headings that the car believes in, radians a metre; it is the
            same all along a walk, and another one in each.
        eye: How trees become percepts.
        seed: Decides all of it.
    """
    rng, others = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    walks = []
    for slope in drift * others.standard_normal(parks):
        drive, poses = simulated(metres, rng)
        off = slope * _STEP * np.arange(len(poses))
        walks.append(walk_of(drive, along(poses[:, 2] + off, drive.odometry), eye, poses[:, :2]))
    return concatenate(walks)


def walk_of(drive: Drive, believed: FloatArray, eye: Eye, positions: FloatArray) -> Walks:
    """One walk: displacements, and maps of trees, in the frame of the headings that the car believes in.

    A map has the value exp(-½ d²/width²) at the distance d from the nearest of the trees that were seen in
    the last metres, wherever the car believes that they are. Where none was seen the percept is missing.

    Args:
        drive: What was recorded.
        believed: Where the car believes to be, (time, 3).
        eye: How trees become percepts.
        positions: Where the car was, (time, 2), for scores.
    """
    driven = np.concatenate([[0.0], np.hypot(drive.odometry[:, 0], drive.odometry[:, 1]).cumsum()])
    steps = np.searchsorted(driven, np.arange(0, driven[-1], eye.spacing))
    seen = drive.sightings
    trees = believed[seen.steps, :2] + turned(seen.offsets, believed[seen.steps, 2])
    first = np.searchsorted(seen.steps, np.searchsorted(driven, driven[steps] - eye.trail))
    behind = np.searchsorted(seen.steps, steps, side="right")
    points = _points(eye)
    percepts = np.full((len(steps), len(points)), np.nan, np.float32)
    for row, (step, low, high) in enumerate(zip(steps, first, behind, strict=True)):
        if low < high:
            squared = ((trees[low:high] - believed[step, :2] - points[:, None]) ** 2).sum(axis=-1)
            percepts[row] = np.exp(-0.5 * squared.min(axis=1) / eye.width**2)
    actions = np.diff(believed[steps, :2], axis=0).astype(np.float32)
    return Walks(
        percepts=torch.from_numpy(percepts)[None],
        actions=torch.from_numpy(actions)[None],
        mask=torch.ones(1, len(steps), dtype=torch.bool),
        truth=Truth(positions=torch.from_numpy(positions[steps])[None]),
    )


def _points(eye: Eye) -> FloatArray:
    """Where the map is read, from the car, (cells², 2)."""
    axis = np.linspace(-eye.reach, eye.reach, eye.cells)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


# What the real drive has: poses 0.6 m apart at the median, and half a sighting at each.
_STEP, _SEEN, _NEAREST, _FARTHEST, _ASIDE = 0.6, 0.4, 4.0, 17.0, np.radians(70)
# Parks of 80 by 80 m and trees around them too, 50 on a hectare; the car goes from corner to corner of five.
_SIDE, _DENSITY, _CORNERS = 80.0, 5e-3, 5
# How near a corner must be to be reached, metres, and radians that the car turns by in a step, at most.
_NEAR, _SHARPEST = 8.0, 0.1
# Errors of a sighting: radians, and metres.
_BEARING_ERROR, _RANGE_ERROR = 0.02, 0.3


def simulated(metres: float, rng: np.random.Generator) -> tuple[Drive, FloatArray]:
    """A drive through a park whose trees stand at random, and its poses; odometry is exact.

    The car goes from one to another of a few corners, again and again, and turns by at most 0.1 radians a
    step of 0.6 m: it comes back to most places, in either direction.

    Args:
        metres: How far it drives.
        rng: Decides trees, path and what is seen.
    """
    poses = _steered(int(metres / _STEP), rng)
    wide = _SIDE + 2 * _FARTHEST
    trees = rng.uniform(-_FARTHEST, _SIDE + _FARTHEST, (int(_DENSITY * wide**2), 2))
    offsets = turned(trees[None] - poses[:, None, :2], -poses[:, 2:])
    bearing = np.arctan2(offsets[..., 1], offsets[..., 0])
    distance = np.hypot(offsets[..., 0], offsets[..., 1])
    in_sight = (distance > _NEAREST) & (distance < _FARTHEST) & (np.abs(bearing) < _ASIDE)
    steps, which = np.nonzero(in_sight & (rng.random(in_sight.shape) < _SEEN))
    angle = bearing[steps, which] + _BEARING_ERROR * rng.standard_normal(len(steps))
    far = distance[steps, which] + _RANGE_ERROR * rng.standard_normal(len(steps))
    measured = far[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    moved = turned(np.diff(poses[:, :2], axis=0), -poses[:-1, 2])
    odometry = np.concatenate([moved, np.diff(poses[:, 2:], axis=0)], axis=1)
    return Drive(odometry, Sightings(steps, measured)), dead_reckon(odometry)


def _steered(steps: int, rng: np.random.Generator) -> FloatArray:
    """Poses from corner to corner, (steps, 3)."""
    corners = rng.uniform(0, _SIDE, (_CORNERS, 2))
    position, heading, goal = corners[0], float(rng.uniform(-np.pi, np.pi)), 1
    poses = np.empty((steps, 3))
    for step in range(steps):
        poses[step] = *position, heading
        towards = corners[goal] - position
        if np.hypot(*towards) < _NEAR:
            goal = (goal + int(rng.integers(1, _CORNERS))) % _CORNERS
        off = (np.arctan2(towards[1], towards[0]) - heading + np.pi) % (2 * np.pi) - np.pi
        heading += float(np.clip(off, -_SHARPEST, _SHARPEST))
        position = position + _STEP * np.array([np.cos(heading), np.sin(heading)])
    return poses
