"""The path that explains a drive best."""

from pathlib import Path

import numpy as np
import pytest

from tem_vae.data.recorded.park_drive import along, dead_reckon, turned
from tem_vae.data.recorded.park_optimum import best_path


def test_trees_correct_a_heading_that_drifts(tmp_path: Path) -> None:
    pytest.importorskip("gtsam")
    steps = 120  # two rounds of a circle of 60 m
    true = dead_reckon(np.tile([1.0, 0.0, 2 * np.pi / 60], (steps, 1)))
    trees = np.random.default_rng(0).uniform(-10, 20, (6, 2))
    lines = []
    for step in range(steps):
        pose, following = 10 * step, 10 * step + 10  # numbers of poses leave gaps, as those of the real file
        lines.append(f"ODOMETRY {pose} {following} 1 0 {2 * np.pi / 60 + 0.01} 1e-4 0 0 4e-6 0 4e-4")
        tree = step % 6
        ahead, left = turned(trees[tree] - true[step, :2], -true[step, 2])
        lines.append(f"LANDMARK {pose} {tree + 1} {ahead} {left} 0.01 0 0.01")
    file = tmp_path / "drive.txt"
    file.write_text("\n".join(lines))
    told = dead_reckon(np.tile([1.0, 0.0, 2 * np.pi / 60 + 0.01], (steps, 1)))
    best = best_path(file)
    off, off_told = (np.linalg.norm((path - true)[:, :2], axis=1).max() for path in (best, told))
    assert off < 0.05 * off_told
    # Headings do not jump by a turn where they pass half of one.
    assert along(best[:, 2], np.tile([1.0, 0.0, 0.0], (steps, 1)))[-1, 2] == pytest.approx(4 * np.pi, abs=0.1)
