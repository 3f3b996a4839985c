"""Data sets of HDF5 files, which may be a stranger's: they open no other file and run no plug-in."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tem_vae.data.recorded.contents import Array, StoredArray, check_is_file
from tem_vae.data.recorded.hdf5_chunks import check_chunks, check_filters
from tem_vae.data.recorded.jpeg import JpegFrames
from tem_vae.data.recorded.problems import NotUsable, WalksFileError

_MOST_DECLARED = 2**38  # bytes that a data set may declare beyond what its file can hold


class Hdf5File:
    """An HDF5 file that every process opens for itself.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: h5py.File | None = None
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_handle": None, "_process": 0}

    @property
    def handle(self) -> h5py.File:
        """The open file, to read.

        Raises:
            WalksFileError: It cannot be opened.
        """
        if self._handle is None or self._process != os.getpid():
            check_is_file(self.path)
            try:
                self._handle, self._process = h5py.File(self.path, "r", locking=False), os.getpid()
            except (OSError, RuntimeError, ValueError) as error:
                raise WalksFileError(
                    f"{self.path} is no whole HDF5 file: it was cut off or damaged ({brief(error)})"
                ) from None
        return self._handle


@dataclass(frozen=True)
class Hdf5Array:
    """A data set in an HDF5 file.

    Attributes:
        file: The file.
        name: Of the data set.
        shape: Of the array.
        dtype: Of its numbers.
    """

    file: Hdf5File
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop``."""
        try:
            data = self.file.handle[self.name]
            check_chunks(data, start, stop)
            rows: Array = data[start:stop]
        except NotUsable as error:
            raise WalksFileError(f"{self.file.path}: {self.name} {error}") from None
        except (OSError, KeyError, RuntimeError, ValueError) as error:
            raise WalksFileError(f"{self.file.path}: {self.name} cannot be read ({brief(error)})") from None
        if len(rows) != len(range(*slice(start, stop).indices(self.shape[0]))):
            raise WalksFileError(f"{self.file.path}: {self.name} was changed while it was in use")
        return rows


def open_array(file: Hdf5File, name: str, found: Any, may_be_jpeg: bool = False) -> StoredArray:
    """A data set that can be read without opening anything else, with what is reserved for it bounded."""
    if not isinstance(found, h5py.Dataset):
        inner = ", ".join(list(found)[:10]) if isinstance(found, h5py.Group) else ""
        raise NotUsable(
            f"is a group of {inner or 'nothing'}, and must be one array; store the one to be used"
        )
    check_storage(found, file.path)
    if may_be_jpeg and found.shape:
        check_chunks(found, 0, 1)
    if may_be_jpeg and JpegFrames.is_stored_in(found):
        return JpegFrames.of(Hdf5Array(file, name, found.shape, found.dtype))
    if found.dtype.hasobject or found.dtype.kind not in "biufc":
        raise NotUsable(f"holds {_name_of(found.dtype)}, and must hold numbers")
    return Hdf5Array(file, name, found.shape, found.dtype)


def check_storage(found: h5py.Dataset, path: Path) -> None:
    """Check how a data set is stored before its shape is asked for: that alone may open other files.

    Raises:
        NotUsable: Its numbers are elsewhere, need a plug-in, or are more than the file can hold.
    """
    plan = found.id.get_create_plist()
    if plan.get_layout() == h5py.h5d.VIRTUAL:
        raise NotUsable("is a view of other files; copy the data into this one")
    if plan.get_external_count():
        raise NotUsable("keeps its numbers in another file; copy them into this one")
    if found.shape is None:
        raise NotUsable("holds nothing, and must hold numbers")
    check_filters(found)
    if _product(found.shape, found.dtype.itemsize) > _MOST_DECLARED + 1_100 * path.stat().st_size:
        raise NotUsable(f"declares the shape {found.shape}, which its file cannot hold")


def _product(shape: tuple[int, ...], item: int) -> int:
    """The bytes of an array, in whole numbers of any size."""
    for length in shape:
        item *= length
    return item


def _name_of(dtype: np.dtype[Any]) -> str:
    return "texts or Python objects" if dtype.hasobject else str(dtype)[:50]


def brief(error: Exception) -> str:
    """HDF5 explains at length; the first line is for people."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
