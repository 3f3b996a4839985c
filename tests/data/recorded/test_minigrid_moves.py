"""MiniGrid as it is recorded: actions say what they did, and a place is a cell and a heading."""

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

from tem_vae.data.recorded import Recording, check_values, open_recording
from tem_vae.data.recorded.gymnasium_walks import Recorder, record_walks

pytest.importorskip("minigrid")

HEADINGS = ["east", "south", "west", "north"]
AHEAD = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
WALKS, STEPS = 6, 60


@pytest.fixture(scope="module", params=["turns", "headed_turns", "compass"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path: Path = tmp_path_factory.mktemp(request.param) / "walks.h5"
    recorder = Recorder("MiniGrid-Empty-5x5-v0", 3, {"max_steps": 50}, moves=request.param, pixels=True)
    record_walks(recorder, path, WALKS, STEPS, seed=0)
    recorder.close()
    return open_recording(path)


def steps_of(recording: Recording, walk: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The names of the actions of a walk, its cells, and its headings."""
    window = recording.window(recording.walks[walk], 0, len(recording.walks[walk]))
    assert window.places is not None
    assert window.positions is not None
    assert recording.action_names is not None
    names = [recording.action_names[action] for action in window.actions[0]]
    return names, window.positions[0].numpy(), window.places[0].numpy() % 4


def test_a_step_did_what_its_name_says(recording: Recording) -> None:
    assert check_values(recording)[1] == []
    told = set()
    for walk in range(WALKS):
        names, cells, headings = steps_of(recording, walk)
        assert len(names) <= 50
        for name, (cell, end), (before, after) in zip(
            names, pairwise(cells), pairwise(headings), strict=True
        ):
            told.add(name)
            name, _, known = name.partition("_from_")
            assert known in ("", HEADINGS[before])
            if name in ("left", "right"):
                assert (after - before) % 4 == (1 if name == "right" else 3)
                assert np.array_equal(cell, end)
                continue
            if "_to_" in name:
                assert name.removesuffix("_blocked") == f"{HEADINGS[before]}_to_{HEADINGS[after]}"
            else:
                assert before == after
            is_blocked = name.endswith("blocked")
            assert np.array_equal(end - cell, 0 * cell if is_blocked else AHEAD[after])
    assert recording.action_names is not None
    assert len(told) > 0.6 * len(recording.action_names)


def test_a_place_looks_the_same_whenever_it_is_seen(recording: Recording) -> None:
    assert recording.percept_shape == (3, 56, 56)
    for walk in recording.walks:
        window = recording.window(walk, 0, len(walk))
        assert window.places is not None
        seen: dict[int, np.ndarray] = {}
        for place, percept in zip(window.places[0].tolist(), window.percepts[0].numpy(), strict=True):
            assert np.array_equal(seen.setdefault(place, percept), percept)
        assert len(seen) > 4


def test_images_are_stored_so_that_windows_are_read_at_once(tmp_path: Path) -> None:
    recorder = Recorder("MiniGrid-Empty-5x5-v0", 1, {"max_steps": 50}, moves="turns", pixels=True)
    record_walks(recorder, tmp_path / "walks.h5", 1, 49, seed=0)
    recorder.close()
    with h5py.File(tmp_path / "walks.h5") as file:
        chunks = file["walk_0/percepts"].chunks
    assert chunks[0] > 20
    assert chunks[1:] == (56, 56, 3)
