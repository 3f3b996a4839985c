"""The path that explains a whole drive best, found by gtsam: the reference for what a model believes."""

from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np

from tem_vae.arrays import FloatArray
from tem_vae.errors import ConfigurationError

_LANDMARKS = 2**32  # keys of landmarks begin with a letter in their highest byte; poses are plain numbers


def best_path(path: Path) -> FloatArray:
    """The poses that minimise the squared errors of odometry and sightings, (time, 3).

    Which sighting is of which tree is told by the file. From dead reckoning a minimiser ends in another, far
    worse minimum where headings drift by turns; so poses are added one by one (iSAM2, Kaess et al. 2012), and
    Levenberg-Marquardt finishes.

    Args:
        path: A graph in the format of `read_drive`.

    Returns:
        x, y and heading, not wrapped, from the origin on.

    Raises:
        ConfigurationError: gtsam is not installed.
    """
    try:
        import gtsam
    except ImportError:
        raise ConfigurationError(
            "gtsam is not installed; install it with: pip install 'tem_vae[slam]'"
        ) from None
    graph, told = gtsam.load2D(str(path))
    poses = _keys_of_poses(told)
    fixed = gtsam.noiseModel.Isotropic.Sigma(3, 1e-6)
    graph.add(gtsam.PriorFactorPose2(poses[0], gtsam.Pose2(), fixed))
    rough = _one_by_one(gtsam, graph, told, poses)
    best = gtsam.LevenbergMarquardtOptimizer(graph, rough, gtsam.LevenbergMarquardtParams()).optimize()
    found = [best.atPose2(key) for key in poses]
    return np.stack(
        [
            [pose.x() for pose in found],
            [pose.y() for pose in found],
            np.unwrap([pose.theta() for pose in found]),
        ],
        axis=1,
    )


def _one_by_one(gtsam: Any, graph: Any, told: Any, poses: list[int]) -> Any:
    """Values of all keys, each pose placed by odometry from the best estimate of the one before it."""
    solver = gtsam.ISAM2()
    factors = _by_last_pose(graph)
    seen: set[int] = set()
    here = gtsam.Pose2()
    for before, pose in zip([None, *poses[:-1]], poses, strict=True):
        if before is not None:
            moved = told.atPose2(before).between(told.atPose2(pose))
            here = solver.calculateEstimatePose2(before).compose(moved)
        news, values = gtsam.NonlinearFactorGraph(), gtsam.Values()
        values.insert(pose, here)
        for factor in factors.get(pose, []):
            news.add(factor)
            for landmark in set(factor.keys()) - set(_keys_of_poses(factor)) - seen:
                seen.add(landmark)
                measured = factor.measured()
                bearing, distance = measured.bearing().theta(), measured.range()
                offset = distance * np.array([np.cos(bearing), np.sin(bearing)])
                values.insert(landmark, here.transformFrom(offset))
        solver.update(news, values)
    return solver.calculateEstimate()


def _by_last_pose(graph: Any) -> dict[int, list[Any]]:
    """Factors by the last pose that each is about."""
    factors: dict[int, list[Any]] = {}
    for number in range(graph.size()):
        factor = graph.at(number)
        factors.setdefault(_keys_of_poses(factor)[-1], []).append(factor)
    return factors


def _keys_of_poses(of: Any) -> list[int]:
    """Rising."""
    keys = sorted(of.keys())
    return keys[: bisect_left(keys, _LANDMARKS)]
