"""What a file of walks holds, before anything in it is checked: arrays that are read by contiguous slices."""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tem_vae.data.recorded.problems import WalkProblem, WalksFileError

Array = npt.NDArray[Any]

# What a walk may hold; whatever else is stored beside these is not looked at.
FIELDS = ("percepts", "actions", "places", "classes", "positions")

MOST_WALKS = 100_000
MOST_ACTION_NAMES = 10_000
LONGEST_NAME = 200  # characters
_MINARI_NAME = re.compile(r"(?:[\w.-]+/)*[\w.-]+-v\d+")


class StoredArray(Protocol):
    """An array on disk. It can be sent to another process."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape; the first dimension is time."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""

    def read(self, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop``, and no more of the file than these and what they are compressed with.

        Raises:
            WalksFileError: The file was changed or damaged since it was opened.
        """


@dataclass(frozen=True)
class RawArray:
    """Numbers that stand in a file one after the other, as in a .npy file.

    Attributes:
        path: The file.
        offset: Where they begin, in bytes.
        shape: Of the array, rows first in the file.
        dtype: Of its numbers.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop``."""
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        inner = self.shape[1:]
        row = int(np.prod(inner, dtype=np.int64)) * self.dtype.itemsize
        wanted = max(0, stop - start) * row
        try:
            with self.path.open("rb", buffering=0) as file:
                contents = bytearray(wanted)
                file.seek(self.offset + start * row)
                length = file.readinto(contents)
        except OSError as error:
            raise WalksFileError(f"{self.path} cannot be read any more: {error.strerror}") from None
        if length != wanted:
            raise WalksFileError(f"{self.path} ends before its data does: it was cut off")
        return np.frombuffer(contents, self.dtype).reshape(max(0, stop - start), *inner)


@dataclass(frozen=True)
class LoadedArray:
    """Numbers that had to be read in whole, since they were compressed as a whole.

    Attributes:
        values: All of them.
    """

    values: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""
        return self.values.dtype

    def read(self, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop``."""
        return self.values[start:stop]


@dataclass
class StoredWalk:
    """A walk as a file has it.

    Attributes:
        name: Its name in the file.
        arrays: Those of `FIELDS` that it has.
        world: The name of its world; None if it has none.
        others: Names of what else stands there.
    """

    name: str
    arrays: dict[str, StoredArray] = field(default_factory=dict)
    world: str | None = None
    others: list[str] = field(default_factory=list)


@dataclass
class Contents:
    """All that a file holds.

    Attributes:
        path: The file or the folder, as it was given.
        walks: In their order.
        action_names: Names of actions by their numbers; None if they have none.
        n_actions: How many actions there are, where the file says so without names.
        problems: What could not even be read.
    """

    path: Path
    walks: list[StoredWalk] = field(default_factory=list)
    action_names: tuple[str, ...] | None = None
    n_actions: int | None = None
    problems: list[WalkProblem] = field(default_factory=list)

    def refuse(self, walk: str, what: str) -> None:
        """Note a problem."""
        self.problems.append(WalkProblem(walk, what))

    def take_action_names(self, names: Sequence[object]) -> None:
        """Note the names of actions, which must be texts, none twice."""
        texts = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]
        if len(texts) > MOST_ACTION_NAMES or len(set(texts)) < len(texts) or not all(texts):
            self.refuse(
                "", f"action_names: must be at most {MOST_ACTION_NAMES:,} names, none empty, none twice"
            )
        elif max(map(len, texts), default=0) > LONGEST_NAME:
            self.refuse("", f"action_names: must have at most {LONGEST_NAME} characters each")
        else:
            self.action_names = tuple(texts) or None


def check_is_file(path: Path) -> None:
    """Check that a path leads to a regular file that may be read: a pipe would make the program wait.

    Raises:
        WalksFileError: It does not.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", error)
        raise WalksFileError(f"{path} cannot be read: {why}{_hint_of_minari(path)}") from None
    if not stat.S_ISREG(mode):
        raise WalksFileError(f"{path} is no regular file; give a file of walks or the folder of a data set")
    if not os.access(path, os.R_OK):
        raise WalksFileError(f"{path} cannot be read: you have no permission")


def _hint_of_minari(path: Path) -> str:
    """Where a data set of Minari lies, if a path looks like the name of one."""
    if not _MINARI_NAME.fullmatch(str(path)):
        return ""
    folder = os.environ.get("MINARI_DATASETS_PATH") or "~/.minari/datasets"
    return (
        f"; if it is the name of a Minari data set, give its folder, {folder}/{path}, or the file "
        "data/main_data.hdf5 in it (all data sets are in MINARI_DATASETS_PATH, or else ~/.minari/datasets)"
    )


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts names with numbers as people do: walk_2 before walk_10.

    Example:
        >>> sorted(["walk_10", "walk_2"], key=natural_key)
        ['walk_2', 'walk_10']
    """
    parts: list[tuple[int, int, str]] = []
    text = ""
    for character in f"{name}\0":
        is_digit = character in "0123456789"
        if text and is_digit != (text[0] in "0123456789"):
            parts.append((0, int(text), "") if text[0] in "0123456789" and len(text) < 19 else (1, 0, text))
            text = ""
        text += character
    return tuple(parts)
