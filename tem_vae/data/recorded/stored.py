"""Walks in memory, written to an HDF5 file and read from one."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np
from torch import Tensor

from tem_vae.data.recorded.problems import WalksFileError, raise_problems
from tem_vae.data.recorded.recording import TOLD, open_recording
from tem_vae.data.recorded.values import check_values
from tem_vae.data.walk import Truth, Walks, concatenate
from tem_vae.runs.files import whole_file

_LARGEST_IN_MEMORY = 8 * 2**30  # bytes


def save_walks(
    path: str | Path,
    *walks: Walks,
    action_names: Sequence[str] | None = None,
    worlds: Sequence[str | int] | None = None,
    overwrite: bool = False,
) -> None:
    """Write walks to an HDF5 file, as docs/data.md describes it, each row of every batch as a walk.

    Padding is left out. The file takes its place when it is whole: an error leaves what was there before.

    Args:
        path: The file.
        *walks: Batches of walks.
        action_names: Names of the actions, in the order of their numbers.
        worlds: The world of each walk; without it each walk is in a world of its own.
        overwrite: Whether a file that is there already is replaced.

    Raises:
        TypeError: Something else than walks was given.
        FileExistsError: There is such a file, and it is not to be replaced.
        ValueError: There is no walk, worlds are not as many as walks, a walk has fewer than two steps or an
            infinite percept, or names of actions are fewer than actions or not all different.
    """
    for batch in walks:
        if not isinstance(batch, Walks):
            raise TypeError(
                f"save_walks takes batches of walks, and not a {type(batch).__name__}; "
                "as_walks(percepts, actions) makes one of arrays"
            )
    rows = [row for batch in walks for row in _rows(batch)]
    if not rows:
        raise ValueError("there is no walk to save; give at least one batch with a row")
    if worlds is not None and len(worlds) != len(rows):
        raise ValueError(f"there are {len(worlds)} worlds for {len(rows)} walks; give one for each walk")
    for number, row in enumerate(rows):
        _check_percepts(number, row)
    if action_names is not None:
        _check_names(action_names, rows)
    if not overwrite and Path(path).exists():
        raise FileExistsError(f"{path} exists already; name another file, or replace it with overwrite=True")
    with whole_file(Path(path)) as scratch, h5py.File(scratch.name, "w") as file:
        if action_names is not None:
            file.attrs["action_names"] = list(action_names)
        for number, row in enumerate(rows):
            group = file.create_group(f"walk_{number}")
            _write(group, row)
            if worlds is not None:
                group.attrs["world"] = worlds[number]


def _rows(batch: Walks) -> Iterator[Walks]:
    for index in range(batch.mask.shape[0]):
        row = batch.row(index)
        steps = int(row.mask.sum())
        if steps < 2:
            raise ValueError(f"walk {index} of a batch has {steps} steps; a walk has at least 2")
        yield row.beginning(steps)


def _check_percepts(number: int, row: Walks) -> None:
    """A file that `load_walks` would refuse is not written."""
    infinite = row.percepts[0].flatten(1).isinf().any(dim=1)
    if infinite.any():
        raise ValueError(
            f"walk {number} has an infinite number in its percept {int(infinite.nonzero()[0])}; a percept "
            "holds finite numbers, or NaN where it is missing"
        )


def _check_names(names: Sequence[str], rows: Sequence[Walks]) -> None:
    """As many names as there are numbers of actions, at least, and no name twice."""
    twice = next((name for name in names if list(names).count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"action_names has {twice!r} more than once; give every action a name of its own")
    last = max(int(row.actions.max()) for row in rows) if not rows[0].actions.is_floating_point() else -1
    if last >= len(names):
        raise ValueError(
            f"an action has the number {last}, but action_names has {len(names)} names, for the numbers "
            f"0 to {len(names) - 1}; name every action, in the order of their numbers"
        )


def _write(group: h5py.Group, row: Walks) -> None:
    known = row.truth or Truth()
    fields = {"percepts": row.percepts, "actions": row.actions}
    fields |= {name: getattr(known, name) for name in TOLD}
    for name, values in fields.items():
        if isinstance(values, Tensor):
            group.create_dataset(name, data=values[0].detach().cpu().numpy())


def load_walks(path: str | Path) -> Walks:
    """All walks of a file or a folder as one batch, padded at their ends to the longest.

    A part of the truth is there if it was recorded of all walks. Larger files are read by windows, with
    ``data=walks``.

    Args:
        path: Whatever `open_recording` opens.

    Raises:
        WalksFileError: It holds no walks that fit together, or would take more than 8 GiB.
    """
    recording = open_recording(Path(path))
    longest = max(len(walk) for walk in recording.walks)
    size = 4 * longest * len(recording.walks) * int(np.prod(recording.percept_shape, dtype=np.float64))
    if size > _LARGEST_IN_MEMORY:
        raise WalksFileError(
            f"{path} would take {size / 2**30:,.0f} GiB as one batch, and may take "
            f"{_LARGEST_IN_MEMORY // 2**30}; train on it with data=walks, which reads windows"
        )
    raise_problems(recording.path, check_values(recording)[1])
    known = [name for name in TOLD if all(getattr(walk, name) for walk in recording.walks)]
    return concatenate([recording.window(walk, 0, len(walk), known) for walk in recording.walks])
