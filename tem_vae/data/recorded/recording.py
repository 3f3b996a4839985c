"""Recorded walks: a file that was found to fit together, read by windows."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tem_vae.data.recorded.contents import Array, Contents, StoredArray, check_is_file
from tem_vae.data.recorded.hdf5_files import read_hdf5
from tem_vae.data.recorded.headers import check_headers, has_channels_last
from tem_vae.data.recorded.numpy_files import read_npy_folder, read_npz
from tem_vae.data.recorded.problems import WalksFileError, raise_problems
from tem_vae.data.source import FloatPercepts
from tem_vae.data.walk import Truth, Walks

# What files may tell of a walk's `Truth`; what happened where it was not what was recorded, nobody recorded.
TOLD = ("places", "classes", "positions")

_HDF5, _ZIP, _NPY = b"\x89HDF\r\n\x1a\n", b"PK", b"\x93NUMPY"
_HDF5_BEGINS_AT = (0, 512, 1024, 2048, 4096, 8192)
_MINARI_FILES = ("data/main_data.hdf5", "main_data.hdf5")


@dataclass(frozen=True)
class RecordedWalk:
    """One walk.

    Attributes:
        name: Its name in the file.
        world: The name of its world; walks without one are each in a world of their own.
        percepts: What was perceived, (time, *shape as stored).
        actions: What was done, (time - 1,) or (time - 1, A).
        places: The places, (time,); None if nobody recorded them.
        classes: The classes, (time,); None if nobody recorded them.
        positions: Where the places lie, (time, 2) or (time, 3); None if nobody recorded them.
    """

    name: str
    world: tuple[str, str]
    percepts: StoredArray
    actions: StoredArray
    places: StoredArray | None
    classes: StoredArray | None
    positions: StoredArray | None

    def __len__(self) -> int:
        return self.percepts.shape[0]


@dataclass(frozen=True)
class Recording:
    """Walks of one file or folder, whose shapes and types fit together.

    Attributes:
        path: As it was given.
        walks: The walks.
        channels_last: Whether percepts are stored as (rows, columns, channels), and so are turned.
        action_names: Names of the actions; None if they have none.
        n_actions: How many there are, if the file says so.
    """

    path: Path
    walks: tuple[RecordedWalk, ...]
    channels_last: bool
    action_names: tuple[str, ...] | None
    n_actions: int | None

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept: (features,), (rows, columns) or (channels, rows, columns)."""
        stored = self.walks[0].percepts.shape[1:]
        return (stored[-1], *stored[:-1]) if self.channels_last else stored

    @property
    def action_dim(self) -> int | None:
        """Numbers of a real-valued action; None where actions are numbered."""
        actions = self.walks[0].actions
        return None if actions.dtype.kind in "iu" else actions.shape[1]

    def percepts(self, walk: RecordedWalk, start: int, stop: int) -> FloatPercepts:
        """Percepts ``start`` to ``stop`` of a walk, NaN where they are missing; bytes are scaled to [0, 1].

        Raises:
            WalksFileError: They hold what no percept holds.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            stored = walk.percepts.read(start, stop)
            percepts = stored.astype(np.float32)
        if stored.dtype == np.uint8:
            percepts /= 255
        if np.isinf(percepts).any():
            step = start + int(np.isinf(percepts).reshape(len(percepts), -1).any(axis=1).argmax())
            raise WalksFileError(
                f"{self.path}: {walk.name}: percepts[{step}] holds a number that is infinite or too large; "
                "scripts/check_walks.py finds all of them"
            )
        return np.ascontiguousarray(np.moveaxis(percepts, -1, 1)) if self.channels_last else percepts

    def window(self, walk: RecordedWalk, start: int, stop: int, fields: Sequence[str] = TOLD) -> Walks:
        """Steps ``start`` to ``stop`` of a walk, as a batch of one.

        Args:
            walk: One of the walks.
            start: The first step.
            stop: Behind the last one, at most the length of the walk.
            fields: Which of the truth, if it was recorded.
        """
        percepts = torch.from_numpy(self.percepts(walk, start, stop))
        actions = torch.from_numpy(as_actions(walk.actions.read(start, stop - 1)))
        stored = (getattr(walk, name) if name in fields else None for name in TOLD)
        truth = [None if array is None else array.read(start, stop) for array in stored]
        places, classes, positions = truth
        return Walks(
            percepts=percepts[None],
            actions=actions[None],
            mask=torch.ones(1, stop - start, dtype=torch.bool),
            truth=None
            if all(field is None for field in truth)
            else Truth(_numbers(places), _numbers(classes), _plane(positions)),
        )


def as_actions(stored: Array) -> Array:
    """Actions in the type that models read."""
    return stored.astype(np.int64) if stored.dtype.kind in "iu" else stored.astype(np.float32)


def _numbers(stored: Array | None) -> Tensor | None:
    return None if stored is None else torch.from_numpy(stored.astype(np.int64))[None]


def _plane(stored: Array | None) -> Tensor | None:
    """Figures show a plane: of three coordinates the first two."""
    return None if stored is None else torch.from_numpy(stored[:, :2].astype(np.float32))[None]


def open_recording(path: Path) -> Recording:
    """Open recorded walks. Of the data only names, shapes and types are looked at.

    Args:
        path: An HDF5 file, an .npz file, a folder of .npy files, or the folder of a Minari data set.

    Raises:
        WalksFileError: It holds no walks, or walks that do not fit together; the message lists all problems.
    """
    contents = read_contents(path)
    raise_problems(path, contents.problems + check_headers(contents))
    return as_recording(contents)


def as_recording(contents: Contents) -> Recording:
    """The walks of a file whose headers are in order."""
    walks = tuple(
        RecordedWalk(
            walk.name,
            ("walk", walk.name) if walk.world is None else ("world", walk.world),
            walk.arrays["percepts"],
            walk.arrays["actions"],
            *(walk.arrays.get(name) for name in TOLD),
        )
        for walk in contents.walks
    )
    turned = has_channels_last(walks[0].percepts.shape[1:])
    return Recording(contents.path, walks, turned, contents.action_names, contents.n_actions)


def read_contents(path: Path) -> Contents:
    """What a file or a folder holds. What it is shows in what it holds, not in its name.

    Raises:
        WalksFileError: It is nothing that walks are stored in.
    """
    if os.path.isdir(path):  # Path.is_dir raises where a name is too long
        return _read_folder(path)
    check_is_file(path)
    begins = _first_bytes(path)
    if any(begins[at : at + len(_HDF5)] == _HDF5 for at in _HDF5_BEGINS_AT):
        return read_hdf5(path)
    if begins.startswith(_ZIP):
        return read_npz(path)
    if begins.startswith(_NPY):
        raise WalksFileError(
            f"{path} is one array; put percepts.npy and actions.npy into a folder, and give the folder"
        )
    what = "is empty" if not begins else "is neither an HDF5 file nor an .npz file"
    raise WalksFileError(f"{path} {what}; docs/data.md says how walks are stored")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HDF5_BEGINS_AT[-1] + len(_HDF5))
    except OSError as error:
        raise WalksFileError(f"{path} cannot be read: {error.strerror}") from None


def _read_folder(folder: Path) -> Contents:
    for name in _MINARI_FILES:
        if (file := folder / name).exists():
            contents = read_hdf5(file)
            contents.path = folder
            return contents
    contents = read_npy_folder(folder)
    if contents.walks:
        return contents
    if (folder / "data" / "metadata.json").exists():
        raise WalksFileError(
            f"{folder} is a Minari data set without data/main_data.hdf5; create it with data_format='hdf5'"
        )
    raise WalksFileError(
        f"{folder} is a folder without percepts.npy or data/main_data.hdf5; "
        "docs/data.md says how walks are stored"
    )
