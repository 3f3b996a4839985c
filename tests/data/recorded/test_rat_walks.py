"""Walks along paths of rats, seen by place cells."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tem_vae.config.command_line import CONF
from tem_vae.data.recorded import check_values, open_recording
from tem_vae.data.recorded.rat_walks import Track, cut, load_track, resample, walks_of
from tem_vae.errors import ConfigurationError


def circle(seconds: float = 20.0) -> Track:
    """Round a circle of 1 m in 10 s, recorded at times that are not even."""
    times = np.sort(np.random.default_rng(0).uniform(0, seconds, 2000))
    angle = 2 * np.pi * times / 10
    return Track(times, 1 + np.stack([np.cos(angle), np.sin(angle)], axis=1))


def test_resampled_positions_are_evenly_spaced_in_time() -> None:
    positions = resample(circle(), rate=5)
    assert len(positions) == 100
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    assert steps == pytest.approx(2 * np.pi / 50, rel=0.02)


def test_a_path_is_cut_without_gaps() -> None:
    positions = np.arange(14.0).reshape(7, 2)
    assert cut(positions, 3).reshape(6, 2).tolist() == positions[:6].tolist()
    with pytest.raises(ConfigurationError, match=r"steps = 8: the whole path has 7 steps"):
        cut(positions, 8)


def test_actions_lead_from_position_to_position_and_cells_remap() -> None:
    paths = cut(resample(circle(), rate=5), 50)
    walks, worlds = walks_of(paths, sessions=2, cells=40, width=0.2, noise=0.0, seed=0)
    assert worlds == [0, 1, 0, 1]
    assert walks.positions is not None
    moved = walks.positions[:, :1] + walks.actions.cumsum(dim=1)
    assert np.allclose(moved, walks.positions[:, 1:], atol=1e-5)
    rates = walks.percepts
    assert 0 <= rates.min() < 0.01
    assert 0.8 < rates.max() <= 1
    # The circle closes after 50 steps: the walks of one cut and of the next lie on the same circle.
    assert not np.allclose(rates[0], rates[2], atol=0.1)
    around = (rates[0, 0] - rates[0, 1]).norm(), (rates[0, 0] - rates[0, 25]).norm()
    assert around[0] < 0.5 * around[1]  # what is near looks alike


def test_noise_has_the_deviation_asked_for() -> None:
    paths = cut(resample(circle(), rate=5), 50)
    clean, noisy = (walks_of(paths, 1, 200, 0.2, noise, seed=0)[0].percepts for noise in (0.0, 0.1))
    assert float((noisy - clean).std()) == pytest.approx(0.1, rel=0.02)


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = str(CONF.parent / "scripts" / "make_rat_walks.py")
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)


def test_the_script_makes_walks_of_a_real_rat_or_says_what_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("ratinabox")
    out = tmp_path / "rat.h5"
    done = run_script("rat=sargolini", f"out={out}", "steps=1000", "sessions=2", "cells=5")
    assert done.returncode == 0, done.stderr
    assert "4 walks of 1,000 steps each" in done.stdout
    recording = open_recording(out)
    assert check_values(recording)[1] == []
    assert len({walk.world for walk in recording.walks}) == 2
    positions = recording.window(recording.walks[0], 0, 1000).positions
    assert positions is not None
    assert 0 <= positions.min() < positions.max() <= 1
    refused = run_script("rat=remy", f"out={out}")
    assert refused.returncode == 2
    for expected in ("2 problems", "is there already", "rat = remy"):
        assert expected in refused.stderr


def test_a_rat_that_the_package_lacks_is_refused() -> None:
    pytest.importorskip("ratinabox")
    with pytest.raises(ConfigurationError, match=r"remy\.npz is not there"):
        load_track("remy")
