"""A car's drive read from a graph of poses, and where it leads."""

from pathlib import Path

import numpy as np
import pytest

from tem_vae.arrays import FloatArray
from tem_vae.data.recorded.park_drive import along, calibrated, dead_reckon, find_drive, read_drive, turned
from tem_vae.errors import ConfigurationError

SQUARE = """\
ODOMETRY 0 1 2.0 0.0 1.5707963 0.1 0 0 1 0 1
LANDMARK 1 2 3.0 1.0 0.4 0 0.4
ODOMETRY 1 3 2.0 0.0 1.5707963 0.1 0 0 1 0 1
LANDMARK 3 2 1.0 1.0 0.4 0 0.4
LANDMARK 1 9 5.0 0.0 0.4 0 0.4
ODOMETRY 3 4 2.0 0.0 1.5707963 0.1 0 0 1 0 1
"""


def written(text: str, folder: Path) -> Path:
    file = folder / "drive.txt"
    file.write_text(text)
    return file


def circle(steps: int = 200) -> FloatArray:
    """Odometry of a car that turns by 0.05 radians a metre at first, and then the other way."""
    turns = np.where(np.arange(steps) < steps // 4, 0.05, -0.03)
    return np.stack([np.ones(steps), np.zeros(steps), turns], axis=1)


def test_poses_and_trees_are_read_in_the_order_of_the_drive(tmp_path: Path) -> None:
    drive = read_drive(written(SQUARE, tmp_path))
    assert drive.odometry == pytest.approx(np.tile([2.0, 0.0, np.pi / 2], (3, 1)))
    assert drive.sightings.steps.tolist() == [1, 1, 2]
    assert drive.sightings.offsets.tolist() == [[3, 1], [5, 0], [1, 1]]


def test_dead_reckoning_goes_round_the_square(tmp_path: Path) -> None:
    poses = dead_reckon(read_drive(written(SQUARE, tmp_path)).odometry)
    assert poses[:, :2] == pytest.approx(np.array([[0, 0], [2, 0], [2, 2], [0, 2]]), abs=1e-6)
    assert poses[:, 2] == pytest.approx(np.arange(4) * np.pi / 2)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ODOMETRY 0 1 2.0 0.0", "line 1"),
        (SQUARE + "ODOMETRY 0 5 1 0 0", "line 7"),  # does not begin at the last pose
        (SQUARE + "ODOMETRY 4 1 1 0 0", "line 7"),  # leads to a pose that was there
        (SQUARE + "LANDMARK 7 2 1 0", "line 7"),
        (SQUARE + "\nEDGE2 4 5 1 0 0", "line 8"),
        ("ODOMETRY 0 1 far 0 0", "line 1: 'ODOMETRY 0 1 far 0 0' is neither"),
    ],
)
def test_what_is_no_drive_is_refused_by_its_line(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=line):
        read_drive(written(text, tmp_path))


def test_a_file_without_a_drive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no drive in it"):
        read_drive(written("\n", tmp_path))


def test_calibration_finds_gain_and_bias_on_the_beginning() -> None:
    true = circle()
    told = true.copy()
    told[:, 2] = (true[:, 2] - 0.002) / 1.1
    told[150:, 2] += 0.01  # what comes later is not looked at
    corrected = calibrated(told, dead_reckon(true)[:, 2], metres=100)
    assert corrected[:150] == pytest.approx(true[:150], abs=1e-9)
    assert corrected[150:, 2] == pytest.approx(true[150:, 2] + 0.011, abs=1e-9)


def test_with_known_headings_only_lengths_are_taken_from_odometry() -> None:
    true = circle()
    drifting = true + np.array([0, 0, 0.01])
    assert along(dead_reckon(true)[:, 2], drifting) == pytest.approx(dead_reckon(true))


def test_vectors_turn_to_the_left() -> None:
    assert turned(np.array([[1.0, 0.0], [0.0, 2.0]]), np.full(2, np.pi / 2)) == pytest.approx(
        np.array([[0, 1], [-2, 0]]), abs=1e-12
    )


def test_the_file_of_gtsam_is_a_drive_of_four_kilometres() -> None:
    pytest.importorskip("gtsam")
    drive = read_drive(find_drive())
    assert (len(drive.odometry), len(drive.sightings.steps)) == (6968, 3640)
    assert np.hypot(drive.odometry[:, 0], drive.odometry[:, 1]).sum() == pytest.approx(4026.6, abs=0.1)
