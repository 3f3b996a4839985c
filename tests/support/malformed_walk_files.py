"""Files and folders of recorded walks that are malformed in many ways."""

import io
import json
import os
import random
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from drawing import take_turns
from recorded_walks import lattice_walk, recorded, write_hdf5

Walk = dict[str, Any]


@dataclass(frozen=True)
class MalformedWalks:
    """A file or folder that must be refused.

    Attributes:
        kind: What is wrong with it.
        what: The same in detail.
        path: Where it is.
        may_be_taken: Whether it may be trained on, too.
    """

    kind: str
    what: str
    path: Path
    may_be_taken: bool = False


def malformed_walks(folder: Path, count: int, seed: int = 0) -> list[MalformedWalks]:
    """Draw about as many of every kind.

    Args:
        folder: Where they are written.
        count: How many.
        seed: Decides what is drawn.
    """
    rng = random.Random(seed)
    pools = []
    for make in (
        fields,
        types,
        values,
        truncations,
        bits,
        declarations,
        links,
        other_files,
        special_files,
        splits,
    ):
        place = folder / make.__name__
        place.mkdir()
        pools.append(make(place, random.Random(rng.random())))
    return take_turns(pools, count)


def _walks(number: int = 5) -> dict[str, Walk]:
    return {f"walk_{n}": lattice_walk(12 + n, seed=n) for n in range(number)}


def _write(folder: Path, name: str, walks: dict[str, Walk], rng: random.Random, **attributes: Any) -> Path:
    """In a format that is drawn."""
    if attributes or rng.random() < 0.5:
        return write_hdf5(folder / f"{name}.h5", walks, **attributes)
    members = {f"{walk}/{field}": value for walk, fields in walks.items() for field, value in fields.items()}
    if rng.random() < 0.5:
        saving = rng.choice((np.savez, np.savez_compressed))
        saving(folder / f"{name}.npz", **members)
        return folder / f"{name}.npz"
    for member, value in members.items():
        (folder / name / member).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / name / member, value)
    return folder / name


def fields(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Arrays that are missing, misnamed, or of a wrong shape or length."""
    changes: dict[str, Callable[[np.ndarray], np.ndarray | None]] = {
        "missing": lambda array: None,
        "one longer": lambda array: np.concatenate([array, array[:1]]),
        "one shorter": lambda array: array[:-1],
        "empty": lambda array: array[:0],
        "one step": lambda array: array[:1],
        "another dimension": lambda array: np.stack([array] * 4, axis=-1)[..., None, None],
        "a single number": lambda array: np.array(1),
        "transposed": lambda array: array[None],
    }
    names = ["percepts", "actions", "places", "classes", "positions"]
    pairs = [(n, c) for n in names for c in changes if (c != "missing" or n in names[:2])]
    rng.shuffle(pairs)
    for number, (name, change) in enumerate(pairs):
        walks = _walks()
        walk = walks[rng.choice(sorted(walks))]
        changed = changes[change](walk[name])
        walk.pop(name) if changed is None else walk.update({name: changed})
        yield MalformedWalks("field", f"{name}: {change}", _write(folder, f"field_{number}", walks, rng))
    for number, name in enumerate(("percepts", "actions")):
        walks = _walks()
        for walk in walks.values():
            walk[f"{name}s"] = walk.pop(name)
        yield MalformedWalks("field", f"{name}s in all walks", _write(folder, f"named_{number}", walks, rng))
    walks = _walks()
    walks["walk_3"]["percepts"] = walks["walk_3"]["percepts"][:, :4]
    yield MalformedWalks("field", "percepts of another shape", _write(folder, "other_shape", walks, rng))


def types(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Arrays that hold something else than numbers, or other numbers than they must."""
    kinds: dict[str, list[Any]] = {
        "percepts": ["complex128", "S3", "U3", "datetime64[s]", [("a", "f4"), ("b", "i4")], "V8"],
        "actions": ["float64", "complex128", "S3", "U3", "bool", "datetime64[s]", [("a", "i4")]],
        "places": ["float32", "bool", "S3", "complex64"],
        "classes": ["float32", "bool", "U3"],
        "positions": ["complex64", "S3", "bool"],
    }
    pairs = [(name, kind) for name, options in kinds.items() for kind in options]
    rng.shuffle(pairs)
    for number, (name, kind) in enumerate(pairs):
        walks = _walks()
        for walk in walks.values():
            walk[name] = np.zeros(walk[name].shape, kind)
        for walk in walks.values():
            np.savez(folder / f"type_{number}.npz", **walk)
        yield MalformedWalks("type", f"{name} as {kind}", folder / f"type_{number}.npz")
    for name in ("percepts", "actions", "world", "action_names"):
        arrays = {**lattice_walk(9), name: np.array([{"a": 1}, None], dtype=object)}
        np.savez(folder / f"objects_{name}.npz", **arrays)
        yield MalformedWalks("type", f"{name} of Python objects", folder / f"objects_{name}.npz")
    for number, names in enumerate(([1, 2, 3, 4], ["a", "a", "b", "c"], ["a", "", "b", "c"], ["a" * 999])):
        path = write_hdf5(folder / f"names_{number}.h5", _walks(), action_names=names)
        yield MalformedWalks("type", f"action_names {names}"[:40], path)


def values(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """A number that cannot be."""
    options: dict[str, list[float]] = {
        "percepts": [np.inf, -np.inf, 1e300],
        "actions": [-1, 10_000, 2**62, -(2**63)],
        "places": [-1, 2**31, 2**62],
        "classes": [-3, 10_000, 2**40],
        "positions": [np.nan, np.inf, 1e9],
    }
    pairs = [(name, value) for name, wrong in options.items() for value in wrong]
    rng.shuffle(pairs)
    for number, (name, value) in enumerate(pairs * 2):
        walks = _walks()
        walk = walks[rng.choice(sorted(walks))]
        array = walk[name].astype(np.float64 if name == "percepts" else walk[name].dtype)
        walk[name] = array
        array[(rng.randrange(len(array)), *(0,) * (array.ndim - 1))] = value
        if name == "positions" and value == 1e9:
            walk["places"][:] = 3
        yield MalformedWalks("value", f"{name}: {value}", _write(folder, f"value_{number}", walks, rng))
    walks = _walks()
    yield MalformedWalks(
        "value", "an action without a name", _write(folder, "unnamed", walks, rng, action_names=["a", "b"])
    )


def truncations(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Files that were cut off anywhere."""
    for number in range(10_000):
        path = _write(folder, f"cut_{number}", _walks(), rng)
        file = rng.choice(sorted(path.rglob("*.npy"))) if path.is_dir() else path
        contents = file.read_bytes()
        kept = rng.choice((1, 7, 9, 100, len(contents) // 2, len(contents) - 1, rng.randrange(len(contents))))
        file.write_bytes(contents[:kept])
        yield MalformedWalks("truncation", f"{path.name}, {kept} of {len(contents)} bytes", path)


def bits(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Files with a few bits the other way round."""
    for number in range(10_000):
        path = _write(folder, f"bits_{number}", _walks(), rng)
        file = rng.choice(sorted(path.rglob("*.npy"))) if path.is_dir() else path
        contents, flipped = bytearray(file.read_bytes()), rng.choice((1, 2, 8, 64, 512))
        for _ in range(flipped):
            contents[rng.randrange(len(contents))] ^= 1 << rng.randrange(8)
        file.write_bytes(contents)
        yield MalformedWalks("bits", f"{path.name}, {flipped} flipped", path, may_be_taken=True)


def declarations(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Files that say that they hold more than they do, or more than can be used."""
    for number, shape in enumerate([(2**40, 6), (2**50, 6), (2**20, 2**30), (2**31, 2), (5, 2**23)]):
        with h5py.File(folder / f"declared_{number}.h5", "w") as file:
            chunks = tuple(min(size, 64) for size in shape)
            file.create_dataset("percepts", shape, np.float32, chunks=chunks)
            file.create_dataset("actions", (shape[0] - 1,), np.int8, chunks=(min(shape[0] - 1, 64),))
        yield MalformedWalks("declaration", f"HDF5 {shape}", folder / f"declared_{number}.h5")
    with h5py.File(folder / "chunk.h5", "w") as file:
        file.create_dataset("percepts", (9, 2**26), np.float32, chunks=(9, 2**26))
        file["actions"] = np.zeros(8, np.int64)
    yield MalformedWalks("declaration", "an HDF5 chunk of 2.4 GB", folder / "chunk.h5")
    for number, shape in enumerate([(2**40, 6), (10**30, 6), (-1, 6), (2**62, 2**62), (12, 10**9)]):
        for name, compression in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
            path = folder / f"{name}_{number}.npz"
            with zipfile.ZipFile(path, "w", compression) as archive:
                archive.writestr("percepts.npy", _npy(shape, bytes(2**16)))
            yield MalformedWalks("declaration", f".npz {name} {shape}", path)
    with (
        zipfile.ZipFile(folder / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("percepts.npy", "w") as member,
    ):
        for _ in range(600):
            member.write(bytes(2**20))
    yield MalformedWalks("declaration", "an .npz bomb", folder / "bomb.npz")
    for number, header in enumerate(
        ["{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "__import__('os')", "[" * 9000]
    ):
        place = folder / f"header_{number}"
        place.mkdir()
        np.save(place / "actions.npy", np.zeros(11, np.int64))
        (place / "percepts.npy").write_bytes(_npy_of(header, bytes(99)))
        yield MalformedWalks("declaration", f".npy {header[:30]}", place)
    for compression in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = folder / f"method_{compression}.npz"
        with zipfile.ZipFile(path, "w", compression) as archive:
            archive.writestr("percepts.npy", _npy((12, 6), bytes(288)))
            archive.writestr("actions.npy", _npy((11,), bytes(44)))
        yield MalformedWalks("declaration", f".npz of method {compression}", path)


def _npy(shape: tuple[int, ...], contents: bytes) -> bytes:
    return _npy_of(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}", contents)


def _npy_of(header: str, contents: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n" + contents


def links(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """HDF5 files that lead elsewhere."""
    secret = recorded(folder / "secret.h5")
    makers: dict[str, Callable[[h5py.Group], Any]] = {
        "external link": lambda walk: walk.__setitem__(
            "percepts", h5py.ExternalLink(str(secret), "/walk_0/percepts")
        ),
        "soft link": lambda walk: walk.__setitem__("percepts", h5py.SoftLink("/walk_0/percepts")),
        "link to nowhere": lambda walk: walk.__setitem__("percepts", h5py.SoftLink("/nowhere")),
        "link to itself": lambda walk: walk.__setitem__("percepts", h5py.SoftLink(f"{walk.name}/percepts")),
        "external storage": lambda walk: walk.create_dataset(
            "percepts", (12, 6), np.float32, external=[(str(secret), 0, 288)]
        ),
        "virtual": _add_virtual,
        "group": lambda walk: walk.create_group("percepts"),
        "itself": lambda walk: walk.__setitem__("percepts", walk),
        "type": lambda walk: walk.__setitem__("percepts", np.dtype(np.float32)),
        "nothing": lambda walk: walk.__setitem__("percepts", h5py.Empty("f4")),
        "references": lambda walk: walk.create_dataset("percepts", (12, 6), h5py.ref_dtype),
        "texts": lambda walk: walk.create_dataset("percepts", (12, 6), h5py.string_dtype()),
        "lists": lambda walk: walk.create_dataset("percepts", (12,), h5py.vlen_dtype(np.float32)),
    }
    for name, make in makers.items():
        path = recorded(folder / f"{name.replace(' ', '_')}.h5", length=12)
        with h5py.File(path, "a") as file:
            del file["walk_2/percepts"]
            make(file["walk_2"])
        yield MalformedWalks("link", name, path)
    for name, link in (
        ("external", h5py.ExternalLink(str(secret), "/walk_0")),
        ("soft", h5py.SoftLink("/walk_0")),
    ):
        path = recorded(folder / f"walk_{name}.h5")
        with h5py.File(path, "a") as file:
            file["walk_9"] = link
        yield MalformedWalks("link", f"a walk that is a {name} link", path)


def _add_virtual(walk: h5py.Group) -> None:
    layout = h5py.VirtualLayout((12, 6), np.float32)
    layout[:] = h5py.VirtualSource("secret.h5", "walk_0/percepts", (60, 6))[:12]
    walk.create_virtual_dataset("percepts", layout)


def other_files(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Files and folders of something else."""
    image = io.BytesIO()
    np.savetxt(image, np.eye(3))
    contents = {
        "empty.h5": b"",
        "text.csv": image.getvalue(),
        "walks.json": json.dumps({"percepts": [[1, 2]], "actions": []}).encode(),
        "pickle.npz": b"\x80\x04N.",
        "zip_only.npz": b"PK\x03\x04",
        "signature.h5": b"\x89HDF\r\n\x1a\n",
        "zeros.h5": bytes(10**6),
        "random.h5": random.Random(0).randbytes(10**5),
        "signature_random.h5": b"\x89HDF\r\n\x1a\n" + random.Random(1).randbytes(10**5),
        "zip_random.npz": b"PK\x03\x04" + random.Random(2).randbytes(10**5),
    }
    for name, written in contents.items():
        (folder / name).write_bytes(written)
        yield MalformedWalks("other file", name, folder / name)
    np.save(folder / "one.npy", np.zeros((5, 3)))
    yield MalformedWalks("other file", "one .npy", folder / "one.npy")
    zipfile.ZipFile(folder / "nothing.npz", "w").close()
    yield MalformedWalks("other file", "an empty archive", folder / "nothing.npz")
    h5py.File(folder / "nothing.h5", "w").close()
    yield MalformedWalks("other file", "an empty HDF5 file", folder / "nothing.h5")
    with h5py.File(folder / "groups.h5", "w") as file:
        for number in range(4):
            file.create_group(f"walk_{number}")
    yield MalformedWalks("other file", "groups without arrays", folder / "groups.h5")
    (folder / "empty").mkdir()
    yield MalformedWalks("other file", "an empty folder", folder / "empty")
    for name, metadata in (("broken", "{"), ("list", "[1]"), ("large", " " * 2**21)):
        place = folder / f"minari_{name}" / "data"
        place.mkdir(parents=True)
        recorded(place / "main_data.hdf5")
        (place / "metadata.json").write_text(metadata, encoding="utf-8")
        yield MalformedWalks("other file", f"Minari, metadata {name}", place.parent)
    arrow = folder / "minari_arrow" / "data"
    arrow.mkdir(parents=True)
    (arrow / "metadata.json").write_text('{"data_format": "arrow"}', encoding="utf-8")
    yield MalformedWalks("other file", "Minari in arrow format", arrow.parent)
    with h5py.File(folder / "dictionary.h5", "w") as file:
        for number in range(4):
            file[f"episode_{number}/observations/image"] = np.zeros((4, 3))
            file[f"episode_{number}/actions"] = np.zeros(3, np.int64)
    yield MalformedWalks("other file", "observations are a dictionary", folder / "dictionary.h5")
    with h5py.File(folder / "jpeg.h5", "w") as file:
        for number in range(4):
            file[f"episode_{number}/observations"] = np.tile(
                np.frombuffer(b"\xff\xd8\xff\x00", np.uint8), (4, 1)
            )
            file[f"episode_{number}/actions"] = np.zeros(3, np.int64)
    yield MalformedWalks("other file", "images that are none", folder / "jpeg.h5")


def special_files(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """What is no regular file, or may not be read."""
    yield MalformedWalks("special file", "missing", folder / "missing.h5")
    yield MalformedWalks("special file", "a long name", folder / ("n" * 300))
    os.mkfifo(folder / "pipe.h5")
    yield MalformedWalks("special file", "a pipe", folder / "pipe.h5")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
    yield MalformedWalks("special file", "a socket", folder / "socket")
    yield MalformedWalks("special file", "a device", Path("/dev/zero"))
    for name, target in (("dangling", "nowhere"), ("loop", "loop"), ("to_pipe", "pipe.h5")):
        (folder / name).symlink_to(folder / target)
        yield MalformedWalks("special file", f"a link: {name}", folder / name)
    for name in ("percepts", "actions"):
        place = folder / f"folder_{name}"
        place.mkdir()
        for field, array in lattice_walk(12).items():
            np.save(place / field, array)
        (place / f"{name}.npy").unlink()
        os.mkfifo(place / f"{name}.npy")
        yield MalformedWalks("special file", f"{name}.npy is a pipe", place)
        linked = folder / f"linked_{name}"
        linked.mkdir()
        for field, array in lattice_walk(12).items():
            np.save(linked / field, array)
        (linked / f"{name}.npy").unlink()
        (linked / f"{name}.npy").symlink_to("/etc/passwd")
        yield MalformedWalks("special file", f"{name}.npy is a link", linked)
    minari = folder / "minari" / "data"
    minari.mkdir(parents=True)
    os.mkfifo(minari / "main_data.hdf5")
    yield MalformedWalks("special file", "Minari in a pipe", minari.parent)


def splits(folder: Path, rng: random.Random) -> Iterator[MalformedWalks]:
    """Too few walks or worlds."""
    for number in (1, 2):
        yield MalformedWalks(
            "split", f"{number} walks", write_hdf5(folder / f"few_{number}.h5", _walks(number))
        )
    for number in (1, 2):
        walks = {name: {**walk, "world": n % number} for n, (name, walk) in enumerate(_walks(9).items())}
        path = write_hdf5(folder / f"worlds_{number}.h5", walks)
        yield MalformedWalks("split", f"{number} worlds", path)
