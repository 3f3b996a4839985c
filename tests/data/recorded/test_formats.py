"""Walks read from every format: what was written is read, window by window."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_walks import as_batch, lattice_walk, write_hdf5

from tem_vae.data import Truth, Walks, concatenate, load_walks, open_recording, save_walks


@st.composite
def one_walk(draw: st.DrawFn, features: int, actions_of: int | None) -> Walks:
    steps = draw(st.integers(2, 9))
    finite = st.floats(-1e6, 1e6, width=32)
    percepts = draw(arrays.arrays(np.float32, (steps, features), elements=finite))
    if actions_of is None:
        actions = draw(arrays.arrays(np.int64, steps - 1, elements=st.integers(0, 9)))
    else:
        actions = draw(arrays.arrays(np.float32, (steps - 1, actions_of), elements=finite))
    places = draw(arrays.arrays(np.int64, steps, elements=st.integers(0, 2**31 - 1)))
    return Walks(
        torch.from_numpy(percepts)[None],
        torch.from_numpy(actions)[None],
        torch.ones(1, steps, dtype=torch.bool),
        Truth(places=torch.from_numpy(places)[None]),
    )


def same(one: Walks, other: Walks) -> bool:
    fields = zip((*one[:3], *(one.truth or ())), (*other[:3], *(other.truth or ())), strict=True)
    return all(a is b if a is None or b is None else a.equal(b) for a, b in fields)


@settings(max_examples=25, deadline=None)
@given(st.data(), st.integers(1, 4), st.sampled_from([None, 2]))
def test_what_was_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, data, features, actions_of
) -> None:
    walks = data.draw(st.lists(one_walk(features, actions_of), min_size=1, max_size=4))
    path = tmp_path_factory.mktemp("saved") / "walks.h5"
    save_walks(path, *walks)
    assert same(load_walks(path), concatenate(walks))


def test_what_was_recorded_is_saved_and_not_what_happened(tmp_path: Path) -> None:
    walks = as_batch(lattice_walk(9))
    slipped = walks._replace(truth=Truth(walks.places, actions=torch.zeros_like(walks.actions)))
    save_walks(tmp_path / "walks.h5", slipped)
    loaded = load_walks(tmp_path / "walks.h5")
    assert loaded.actions.equal(walks.actions)
    assert loaded.truth is not None
    assert loaded.truth.actions is None


def test_a_file_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    walk = lattice_walk(5)
    path = write_hdf5(tmp_path / "walks.h5", {"": walk})
    before = path.read_bytes()
    short = Walks(torch.zeros(1, 2, 3), torch.zeros(1, 1, dtype=torch.int64), torch.tensor([[True, False]]))
    with pytest.raises(ValueError, match="has 1 steps; a walk has at least 2"):
        save_walks(path, short, overwrite=True)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["walks.h5"]


def test_a_file_that_is_there_is_replaced_only_if_asked(tmp_path: Path) -> None:
    path = write_hdf5(tmp_path / "walks.h5", {"": lattice_walk(5)})
    walks = as_batch(lattice_walk(7))
    with pytest.raises(FileExistsError, match="or replace it with overwrite=True"):
        save_walks(path, walks)
    assert len(open_recording(path).walks[0]) == 5
    save_walks(path, walks, overwrite=True)
    assert len(open_recording(path).walks[0]) == 7


def test_walks_that_no_one_could_load_are_not_saved(tmp_path: Path) -> None:
    walks, path = as_batch(lattice_walk(6)), tmp_path / "walks.h5"
    walks.percepts[0, 4, 0] = torch.inf
    with pytest.raises(ValueError, match="walk 0 has an infinite number in its percept 4"):
        save_walks(path, walks)
    walks.percepts[0, 4, 0] = torch.nan
    last = int(walks.actions.max())
    with pytest.raises(ValueError, match=f"has the number {last}, but action_names has {last} names"):
        save_walks(path, walks, action_names=[f"a{number}" for number in range(last)])
    with pytest.raises(ValueError, match="action_names has 'up' more than once"):
        save_walks(path, walks, action_names=["up", "down", "up", "left", "right"])
    assert not path.exists()
    save_walks(path, walks)
    assert load_walks(path).percepts[0, 4, 0].isnan()


def write(kind: str, folder: Path, walks: dict[str, dict[str, np.ndarray]]) -> Path:
    members = {f"{name}/{field}": values for name, walk in walks.items() for field, values in walk.items()}
    if kind == "hdf5":
        return write_hdf5(folder / "walks", walks)
    if kind == "npy":
        for name, values in members.items():
            (folder / name).parent.mkdir(exist_ok=True)
            np.save(folder / name, values)
        return folder
    saving = np.savez if kind == "npz" else np.savez_compressed
    saving(folder / "walks.npz", **members)
    return folder / "walks.npz"


@pytest.mark.parametrize("kind", ["hdf5", "npz", "npz_compressed", "npy"])
def test_every_format_gives_the_same_walks(kind: str, tmp_path: Path) -> None:
    walks = {f"walk_{n}": lattice_walk(20 + n, seed=n) for n in (2, 10)}
    recording = open_recording(write(kind, tmp_path, walks))
    assert [walk.name for walk in recording.walks] == ["walk_2", "walk_10"]
    for walk, written in zip(recording.walks, walks.values(), strict=True):
        window = recording.window(walk, 5, 17)
        assert np.array_equal(window.percepts[0], written["percepts"][5:17])
        assert np.array_equal(window.actions[0], written["actions"][5:16])
        assert window.places is not None
        assert np.array_equal(window.places[0], written["places"][5:17])
        assert window.positions is not None
        assert np.array_equal(window.positions[0], written["positions"][5:17])


@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_a_single_walk_needs_no_name_and_may_be_stored_by_columns(kind: str, tmp_path: Path) -> None:
    walk = lattice_walk(12)
    by_columns = {**walk, "percepts": np.asfortranarray(walk["percepts"])}
    if kind == "npz":
        np.savez(tmp_path / "walk.npz", world="here", action_names=["a", "b", "c", "d"], **by_columns)
    else:
        for field, values in by_columns.items():
            np.save(tmp_path / f"{field}.npy", values)
    recording = open_recording(tmp_path / "walk.npz" if kind == "npz" else tmp_path)
    assert np.array_equal(recording.window(recording.walks[0], 3, 9).percepts[0], walk["percepts"][3:9])
    if kind == "npz":
        assert recording.walks[0].world == ("world", "here")
        assert recording.action_names == ("a", "b", "c", "d")


def test_images_come_with_channels_first(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 8, 6, 3), dtype=np.uint8)
    path = write_hdf5(tmp_path / "w.h5", {"": {"percepts": images, "actions": np.array([0, 1, 0])}})
    recording = open_recording(path)
    assert recording.percept_shape == (3, 8, 6)
    scaled = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    assert np.array_equal(recording.percepts(recording.walks[0], 0, 4), scaled)


def minari_data_set(folder: Path, monkeypatch: pytest.MonkeyPatch, image: bool, continuous: bool) -> list:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(folder))
    minari, gymnasium = pytest.importorskip("minari"), pytest.importorskip("gymnasium")
    rng, spaces = np.random.default_rng(0), gymnasium.spaces
    shape = (40, 32, 3) if image else (5,)
    observations = spaces.Box(0, 255, shape, np.uint8) if image else spaces.Box(-9, 9, shape, np.float32)
    actions = spaces.Box(-1, 1, (2,), np.float32) if continuous else spaces.Discrete(6)
    buffers = [
        minari.data_collector.EpisodeBuffer(
            id=n,
            observations=np.full((steps + 1, *shape), 17 * n, observations.dtype),
            actions=np.stack([actions.sample() for _ in range(steps)]),
            rewards=[0.0] * steps,
            terminations=[False] * steps,
            truncations=[False] * steps,
            infos={"places": rng.integers(0, 9, steps + 1)},
        )
        for n, steps in enumerate((7, 9))
    ]
    minari.create_dataset_from_buffers(
        "test/walks-v0", buffers, observation_space=observations, action_space=actions
    )
    return buffers


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("continuous", [False, True])
def test_data_sets_of_minari(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image, continuous) -> None:
    buffers = minari_data_set(tmp_path, monkeypatch, image, continuous)
    recording = open_recording(tmp_path / "test" / "walks-v0")
    assert recording.percept_shape == ((3, 40, 32) if image else (5,))
    assert recording.action_dim == (2 if continuous else None)
    assert recording.n_actions == (None if continuous else 6)
    for walk, buffer in zip(recording.walks, buffers, strict=True):
        window = recording.window(walk, 0, len(walk))
        expected = np.moveaxis(buffer.observations, -1, 1) if image else buffer.observations
        assert np.abs((255 if image else 1) * window.percepts[0].numpy() - expected).max() <= (
            2 if image else 0
        )  # JPEG loses a little
        assert np.array_equal(window.actions[0], buffer.actions)
        assert window.places is not None
        assert np.array_equal(window.places[0], buffer.infos["places"])


# VmHWM is the peak of the program itself; ru_maxrss of a child starts at that of the process that started it.
READ_WINDOWS = """
import sys
from pathlib import Path
import numpy as np
from tem_vae.data.recorded import *
recording = open_recording(Path(sys.argv[1]))
facts, problems = check_values(recording, most_bytes=2**28)
assert not problems, problems
walks = RecordedWalks(recording, recording.walks, "train", 16, 200, ("a",), {}, None, ())
for number in range(50):
    assert walks.sample(np.random.default_rng(number)).percepts.shape == (16, 200, 64)
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads its peak of memory from /proc")
@pytest.mark.parametrize("chunks", [None, (1024, 64)])
def test_twenty_gigabytes_are_read_within_one(tmp_path: Path, chunks: tuple[int, int] | None) -> None:
    path, steps = tmp_path / "large.h5", 20 * 2**30 // 256
    with h5py.File(path, "w") as file:
        file.create_dataset("percepts", (steps, 64), np.float32, chunks=chunks)[steps - 1] = 1
        file.create_dataset("actions", (steps - 1,), np.int8, chunks=chunks and (2**20,))
    assert os.stat(path).st_blocks * 512 < 2**26  # it is sparse
    command = [sys.executable, "-c", READ_WINDOWS, str(path)]
    used = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert used * 1024 < 2**30
