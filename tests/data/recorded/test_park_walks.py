"""Walks of a car that sees trees."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tem_vae.config.command_line import CONF
from tem_vae.data.recorded import check_values, open_recording
from tem_vae.data.recorded.park_drive import Drive, Sightings, dead_reckon
from tem_vae.data.recorded.park_walks import Eye, simulated, simulated_walks, walk_of

EYE = Eye(spacing=2.0, trail=3.0, reach=10.0, cells=11, width=2.0)


def one_tree(heading: float) -> Drive:
    """40 m straight on, after a turn on the spot; at 10.5 m a tree 4 m ahead and 2 m to the left is seen."""
    odometry = np.tile([0.5, 0.0, 0.0], (80, 1))
    odometry[0] = 0, 0, heading
    return Drive(odometry, Sightings(np.array([22]), np.array([[4.0, 2.0]])))


def peak(percept: object) -> list[float]:
    """Where the map of a percept is highest, from the car."""
    row, column = np.unravel_index(np.argmax(np.asarray(percept)), (11, 11))
    return [2.0 * row - 10, 2.0 * column - 10]


def test_a_tree_stays_in_view_for_the_trail_and_where_it_is() -> None:
    drive = one_tree(0.0)
    poses = dead_reckon(drive.odometry)
    walk = walk_of(drive, poses, EYE, poses[:, :2])
    assert walk.seen[0].nonzero().flatten().tolist() == [6]  # at 12 m; at 14 m it was too long ago
    assert peak(walk.percepts[0, 6]) == [2, 2]  # 1.5 m further on it is 2.5 m ahead
    assert float(walk.percepts[0, 6].max()) == pytest.approx(np.exp(-0.5 * 0.5**2 / 4))
    assert walk.actions[0].numpy() == pytest.approx(np.tile([2.0, 0.0], (19, 1)))


def test_maps_and_displacements_are_in_the_frame_of_the_heading() -> None:
    drive = one_tree(np.pi / 2)
    poses = dead_reckon(drive.odometry)
    walk = walk_of(drive, poses, EYE, poses[:, :2])
    (seen,) = walk.seen[0].nonzero().flatten().tolist()
    assert peak(walk.percepts[0, seen]) == [-2, 2]
    assert walk.actions[0].numpy() == pytest.approx(np.tile([0.0, 2.0], (19, 1)), abs=1e-6)


def test_simulated_odometry_leads_along_the_poses_and_trees_stay_where_they_are() -> None:
    drive, poses = simulated(300.0, np.random.default_rng(0))
    assert len(poses) == 500
    assert np.hypot(*np.diff(poses[:, :2], axis=0).T) == pytest.approx(np.full(499, 0.6))
    assert dead_reckon(drive.odometry) == pytest.approx(poses)
    assert 0.2 < len(drive.sightings.steps) / len(poses) < 1


def test_what_is_seen_at_a_place_is_seen_there_again() -> None:
    eye = Eye(spacing=4.0, trail=20.0, reach=20.0, cells=9, width=3.0)
    walks = simulated_walks(3, 900.0, 0.0, eye, seed=0)
    near, far = [], []
    for percepts, positions, seen in zip(
        walks.percepts.numpy(), walks.known("positions").numpy(), walks.seen.numpy(), strict=True
    ):
        step = np.nonzero(seen)[0]
        off = ((percepts[step][:, None] - percepts[step]) ** 2).sum(axis=-1)
        apart = np.linalg.norm(positions[step][:, None] - positions[step], axis=-1)
        later = step[:, None] - step > 10
        near.append(off[later & (apart < 2)])
        far.append(off[later & (apart > 20)])
    assert np.concatenate(near).mean() < 0.6 * np.concatenate(far).mean()


def test_a_heading_that_drifts_turns_the_path_that_is_believed() -> None:
    exact, drifting = (simulated_walks(1, 600.0, drift, EYE, seed=0) for drift in (0.0, 0.002))
    assert drifting.known("positions").equal(exact.known("positions"))
    lengths = drifting.actions.norm(dim=-1), exact.actions.norm(dim=-1)
    assert lengths[0].numpy() == pytest.approx(lengths[1].numpy(), rel=1e-3)
    directions = [np.unwrap(np.arctan2(*walks.actions[0].numpy().T[::-1])) for walks in (drifting, exact)]
    off = directions[0] - directions[1]
    assert abs(off[-1]) > 0.05
    assert off == pytest.approx(off[-1] * np.arange(1, len(off) + 1) / len(off), abs=0.01)


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(CONF.parent / "scripts" / "make_park_walk.py")
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)


def test_the_script_makes_simulated_parks_or_says_what_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "parks.h5"
    done = run_script(f"out={out}", "parks=2", "length=200")
    assert done.returncode == 0, done.stderr
    assert "2 walks of at most 50 steps each" in done.stdout
    recording = open_recording(out)
    assert check_values(recording)[1] == []
    assert len({walk.world for walk in recording.walks}) == 2
    refused = run_script(f"out={out}", "heading=north", "cells=1")
    assert refused.returncode == 2
    for expected in ("3 problems", "is there already", "heading = north", "cells = 1"):
        assert expected in refused.stderr
