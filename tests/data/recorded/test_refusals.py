"""What is wrong with recorded walks is named with its walk, its step and what is expected, all at once."""

import os
import resource
import struct
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from recorded_walks import lattice_walk, recorded, write_hdf5

from tem_vae.data import WalksFileError, load_walks, open_recording
from tem_vae.data.recorded import check_values


def refused(path: Path) -> str:
    try:
        problems = check_values(open_recording(path))[1]
    except WalksFileError as refusal:
        return str(refusal)
    return "\n".join(map(str, problems)) or "nothing is wrong"


def test_all_problems_of_shapes_and_types_come_at_once(tmp_path: Path) -> None:
    walk = lattice_walk(10)
    walks = {
        "a": walk,
        "b": {**walk, "percepts": walk["percepts"][:, :5]},
        "c": {**walk, "actions": np.arange(10)},
        "d": {**walk, "actions": walk["actions"].astype(float)},
        "e": {**walk, "places": walk["places"] + 0.5},
        "f": {"percepts": walk["percepts"]},
        "g": {**walk, "percepts": walk["percepts"] + 1j},
        "h": {"percepts": walk["percepts"][:1], "actions": walk["actions"][:0]},
        "i": {**walk, "positions": walk["positions"][:, 0]},
    }
    message = refused(write_hdf5(tmp_path / "w.h5", walks))
    for expected in (
        "has 10 problems",
        "b: percepts are of shape (5,), and those of a are of shape (6,)",
        "c: actions has length 10 and must have 9, for 10 percepts; actions[t] leads from percept t to t + 1",
        "d: actions are reals of shape (9,); it must be (time - 1, A)",
        "d: actions are vectors of shape (), and those of a are whole numbers",
        "e: places are float64 of shape (10,); they must be whole numbers",
        "f: actions is missing",
        "g: percepts are complex",
        "h: percepts have 1 steps; a walk has at least 2",
        "i: positions are float64 of shape (10,)",
    ):
        assert expected in message


def test_one_mistake_in_many_walks_is_spelled_out_once(tmp_path: Path) -> None:
    walks = {f"walk_{n}": lattice_walk(10 + n, seed=n) for n in range(12)}
    for number in (1, *range(3, 11)):
        walk = walks[f"walk_{number}"]
        walk["actions"] = np.append(walk["actions"], 0)
    lines = refused(write_hdf5(tmp_path / "w.h5", walks)).splitlines()
    assert lines[0].endswith("has 9 problems:")
    assert lines[1].startswith("  walk_1: actions has length 11 and must have 10")
    assert lines[2:] == ["    and 8 more alike: walk_3 to walk_10"]


def turned(walk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(values.T) for name, values in walk.items()}


def test_arrays_that_are_turned_or_stacked_are_recognised(tmp_path: Path) -> None:
    walk, images = lattice_walk(50), np.zeros((8, 6, 50), np.float32)
    message = refused(write_hdf5(tmp_path / "w.h5", {"a": turned(walk), "b": turned(lattice_walk(60))}))
    lines = message.splitlines()
    assert lines[0].endswith("has 4 problems:")
    assert lines[1] == (
        "  a: percepts of shape (6, 50) seem to have time as last dimension; it must be the first: percepts.T"
    )
    assert lines[3].startswith("  a: positions of shape (2, 50) seem to have time")
    assert len(lines) == 5
    vectors = {"percepts": walk["percepts"], "actions": np.zeros((2, 49), np.float32)}
    assert "actions of shape (2, 49) seem" in refused(write_hdf5(tmp_path / "v.h5", {"": vectors}))
    both = turned({"percepts": walk["percepts"], "actions": np.zeros((50, 2), np.float32)})
    assert "has 2 problems" in refused(write_hdf5(tmp_path / "both.h5", {"": both}))
    seen = {"percepts": images, "actions": walk["actions"]}
    assert "np.moveaxis(percepts, -1, 0)" in refused(write_hdf5(tmp_path / "i.h5", {"": seen}))
    np.savez(tmp_path / "w.npz", percepts=np.zeros((30, 50, 6)), actions=np.zeros((30, 49), np.int64))
    message = refused(tmp_path / "w.npz")
    assert "seem to be 30 walks stacked on each other" in message
    assert "a problem" in message


def test_vectors_that_could_be_steps_are_left_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for shape in ((8, 8, 8), (8, 8), (9, 7), (7, 8, 8)):
        walk = {"percepts": rng.normal(size=shape), "actions": rng.normal(size=(shape[0] - 1, 7))}
        assert refused(write_hdf5(tmp_path / "w.h5", {"": walk})) == "nothing is wrong"
    column = {"percepts": rng.normal(size=9), "actions": np.zeros((8, 1), np.int64)}
    message = refused(write_hdf5(tmp_path / "w.h5", {"": column}))
    assert "percepts of a single number are (time, 1)" in message
    assert "actions.reshape(-1) is" in message


def test_the_name_of_a_minari_data_set_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", "/data/minari")
    message = refused(Path("D4RL/door/human-v2"))
    assert "give its folder, /data/minari/D4RL/door/human-v2, or the file data/main_data.hdf5" in message
    monkeypatch.delenv("MINARI_DATASETS_PATH")
    assert "~/.minari/datasets/D4RL/door/human-v2" in refused(Path("D4RL/door/human-v2"))
    assert "Minari" not in refused(Path("my_walks.h5"))


def test_all_problems_of_values_come_at_once(tmp_path: Path) -> None:
    walk = lattice_walk(10)
    percepts = walk["percepts"].copy()
    percepts[3, 2], percepts[5:7, 1], percepts[8] = np.nan, np.inf, np.nan  # NaN: missing
    positions = walk["positions"].copy()
    at = int(np.flatnonzero(walk["places"][1:] == walk["places"][0])[0] + 1)
    positions[at] += 0.5
    walks = {
        "a": {**walk, "percepts": percepts},
        "b": {**walk, "actions": walk["actions"] - 4, "classes": walk["classes"] - 1},
        "c": {**walk, "positions": positions},
    }
    lines = refused(write_hdf5(tmp_path / "w.h5", walks, action_names=["n", "s", "w", "e"])).splitlines()
    assert lines[0].startswith("a: percepts[5] holds [inf]")
    assert "(1 more such steps)" in lines[0]
    assert lines[1].startswith("b: actions[0] = -")
    assert "from 0 to 3" in lines[1]
    assert lines[2].startswith("b: classes[")
    assert lines[3].startswith(f"c: positions[{at}] = ")
    assert f"place {walk['places'][0]} was at" in lines[3]
    assert len(lines) == 4


def test_a_percept_with_a_nan_in_it_is_missing(tmp_path: Path) -> None:
    walk = lattice_walk(10)
    walk["percepts"][3, 2] = walk["percepts"][8] = np.nan
    facts, problems = check_values(open_recording(write_hdf5(tmp_path / "w.h5", {"a": walk})))
    assert problems == []
    assert (facts.missing, facts.partly_missing) == (0.2, 0.1)
    walk["percepts"][:, 0] = np.nan
    message = refused(write_hdf5(tmp_path / "w.h5", {"a": walk}))
    assert message.startswith("a: percepts are missing at all steps, for a number of each is NaN")


def test_walks_of_one_world_share_their_places(tmp_path: Path) -> None:
    walk = lattice_walk(10)
    moved = {**walk, "positions": walk["positions"] + 1}
    apart = write_hdf5(tmp_path / "apart.h5", {"a": walk, "b": moved})
    assert refused(apart) == "nothing is wrong"
    together = write_hdf5(tmp_path / "together.h5", {"a": {**walk, "world": 1}, "b": {**moved, "world": 1}})
    assert refused(together).startswith("b: positions[0]")


def test_places_may_be_bins_of_positions(tmp_path: Path) -> None:
    inside = np.random.default_rng(0).uniform(0, 1, (200, 2))
    walk = lattice_walk(200)
    binned = {**walk, "positions": walk["positions"] + inside}
    path = write_hdf5(tmp_path / "w.h5", {"a": {**binned, "world": 1}, "b": {**binned, "world": 1}})
    facts, problems = check_values(open_recording(path))
    assert problems == []
    assert facts.places_are_bins
    points = write_hdf5(tmp_path / "points.h5", {"a": walk})
    assert not check_values(open_recording(points))[0].places_are_bins


def test_links_and_foreign_storage_open_nothing(tmp_path: Path) -> None:
    secret = recorded(tmp_path / "secret.h5")
    path = write_hdf5(tmp_path / "w.h5", {"good": lattice_walk(9)})
    with h5py.File(path, "a") as file:
        file["outside"] = h5py.ExternalLink(str(secret), "/walk_0")
        file["inside"] = h5py.SoftLink("/good")
        for name in ("external", "virtual", "plugin"):
            file[f"{name}/actions"] = np.zeros(8, np.int64)
        file["external"].create_dataset("percepts", (9, 6), np.float32, external=[(str(secret), 0, 216)])
        layout = h5py.VirtualLayout((9, 6), np.float32)
        layout[:] = h5py.VirtualSource(str(secret), "walk_0/percepts", (60, 6))[:9]
        file["virtual"].create_virtual_dataset("percepts", layout)
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((9, 6))
        plan.set_filter(305, h5py.h5z.FLAG_OPTIONAL, (1,))
        space = h5py.h5s.create_simple((9, 6))
        h5py.h5d.create(file["plugin"].id, b"percepts", h5py.h5t.NATIVE_FLOAT, space, plan)
    message = refused(path)
    assert "outside is a link to another file" in message
    assert "inside is a link by name" in message
    assert "external: percepts keeps its numbers in another file" in message
    assert "virtual: percepts is a view of other files" in message
    assert "plugin: percepts is packed by a filter of number 305" in message


def test_what_is_declared_must_be_there(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("a/percepts", (2**45, 64), np.float32, chunks=(64, 64))
        file.create_dataset("b/percepts", (9, 2**20, 64), np.float32, chunks=(9, 2**20, 64))
    message = refused(tmp_path / "w.h5")
    assert "a: percepts declares the shape (35184372088832, 64), which its file cannot hold" in message
    assert "b: percepts has chunks of more than" in message


@pytest.mark.parametrize("mebibytes", [2, 600])
def test_a_chunk_that_unpacks_to_more_than_a_chunk_is_not_unpacked(tmp_path: Path, mebibytes: int) -> None:
    packing = zlib.compressobj(9)
    packed = b"".join(packing.compress(bytes(2**20)) for _ in range(mebibytes)) + packing.flush()
    with h5py.File(tmp_path / "w.h5", "w") as file:
        percepts = file.create_dataset("percepts", (64, 9_000), "f4", chunks=(64, 9_000), compression="gzip")
        file["actions"] = np.zeros(63, np.int64)
        percepts.id.write_direct_chunk((0, 0), packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = refused(tmp_path / "w.h5")
    assert (mebibytes > 99) == ("unpacks to more than a chunk" in message)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**18  # KiB


@pytest.mark.parametrize("compression", ["gzip", "lzf"])
def test_compressed_walks_are_read(tmp_path: Path, compression: str) -> None:
    percepts = np.random.default_rng(0).normal(size=(300, 3_000)).astype(np.float32)
    with h5py.File(tmp_path / "w.h5", "w") as file:
        stored = {"compression": compression, "shuffle": True, "fletcher32": True, "chunks": (100, 3_000)}
        file.create_dataset("percepts", data=percepts, **stored)
        file["actions"] = np.zeros(299, np.int64)
    recording = open_recording(tmp_path / "w.h5")
    assert np.array_equal(recording.percepts(recording.walks[0], 90, 210), percepts[90:210])


def bomb(path: Path, declared: tuple[int, ...], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive whose member says that it has a shape, and holds a few zeros."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {declared}, }}".encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(
            "percepts.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(2**20)
        )
    return path


def test_archives_that_declare_more_than_they_hold(tmp_path: Path) -> None:
    assert "which needs 4,000,000,000,000 bytes" in refused(bomb(tmp_path / "a.npz", (10**6, 10**6)))
    stored = bomb(tmp_path / "b.npz", (10**6, 10**6), zipfile.ZIP_STORED)
    assert "it was cut off" in refused(stored)
    large = zipfile.ZipFile(tmp_path / "c.npz", "w", zipfile.ZIP_DEFLATED)
    with large, large.open("percepts.npy", "w") as member:
        for _ in range(513):
            member.write(bytes(2**20))
    assert "must be read in whole" in refused(tmp_path / "c.npz")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "percepts.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
    np.save(tmp_path / "actions.npy", np.zeros(1, np.int64))
    assert "percepts holds Python objects" in refused(tmp_path)
    np.savez(tmp_path / "w.npz", percepts=np.array([{"a": 1}], dtype=object))
    assert "percepts holds Python objects" in refused(tmp_path / "w.npz")


def test_what_is_no_file_of_walks(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "text.h5").write_text("percepts")
    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "one.npy", np.zeros((3, 2)))
    h5py.File(tmp_path / "none.h5", "w").close()
    for name, expected in {
        "pipe": "is no regular file",
        "empty": "is empty",
        "text.h5": "is neither an HDF5 file nor an .npz file",
        "folder": "is a folder without percepts.npy",
        "one.npy": "is one array",
        "none.h5": "it holds no walk",
        "missing": "cannot be read: No such file",
        "n" * 300: "cannot be read: File name too long",
    }.items():
        assert expected in refused(tmp_path / name)
    whole = recorded(tmp_path / "whole.h5").read_bytes()
    for length in (9, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        assert "cut off or damaged" in refused(tmp_path / "cut.h5")


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    np.save(tmp_path / "actions.npy", np.zeros(3, np.int64))
    (tmp_path / "percepts.npy").symlink_to("/etc/passwd")
    assert "percepts is a link to another file" in refused(tmp_path)


def test_a_dictionary_of_observations_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["episode_0/observations/image"] = np.zeros((4, 3))
        file["episode_0/observations/direction"] = np.zeros(4)
        file["episode_0/actions"] = np.zeros(3, np.int64)
    assert "episode_0: observations is a group of direction, image" in refused(tmp_path / "w.h5")


def test_more_than_fits_into_memory_is_not_loaded(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("percepts", (2**30, 64), np.float32, chunks=(1024, 64))
        file.create_dataset("actions", (2**30 - 1,), np.int8, chunks=(2**20,))
    with pytest.raises(WalksFileError, match="would take 256 GiB as one batch"):
        load_walks(tmp_path / "w.h5")
