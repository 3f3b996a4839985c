"""Walks in numpy's files: an .npz archive, or a folder of .npy files. Never with pickle."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tem_vae.data.recorded.contents import (
    FIELDS,
    MOST_ACTION_NAMES,
    MOST_WALKS,
    Contents,
    LoadedArray,
    RawArray,
    StoredArray,
    StoredWalk,
    check_is_file,
    natural_key,
)
from tem_vae.data.recorded.numpy_arrays import InColumns, check_size, read_header
from tem_vae.data.recorded.problems import NotUsable, WalksFileError

LARGEST_COMPRESSED = 512 * 2**20  # bytes, all compressed members of an archive together
_LARGEST_DIRECTORY = 64 * 2**20
_LARGEST_TEXT = 2**20
_PIECE = 2**20
_ZIP_HEADER = struct.Struct("<4s5H3I2H")
_BYTES_OF_HEADER = 30
_IS_ENCRYPTED = 0x1
_DAMAGE = (EOFError, RuntimeError, OSError, NotImplementedError)
_MOST_MEMBERS = MOST_WALKS * 8


def read_npy_folder(folder: Path) -> Contents:
    """Walks of a folder: ``percepts.npy`` and so on in it, or in a folder of its own for each walk."""
    contents = Contents(folder)
    files = {}
    for file in _npy_files(folder):
        files[file.relative_to(folder).with_suffix("").as_posix()] = file
        if len(files) > _MOST_MEMBERS:
            raise WalksFileError(
                f"{folder} holds more than {_MOST_MEMBERS:,} .npy files; use HDF5 for so many walks"
            )
    _gather(contents, files, lambda name: _open_npy(files[name]))
    return contents


def _npy_files(folder: Path) -> Iterable[Path]:
    try:
        for entry in sorted(os.scandir(folder), key=lambda entry: natural_key(entry.name)):
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from (inner for inner in path.iterdir() if inner.suffix == ".npy")
            elif path.suffix == ".npy":
                yield path
    except OSError as error:
        raise WalksFileError(f"{folder} cannot be read: {error.strerror}") from None


def _open_npy(path: Path) -> StoredArray:
    if path.is_symlink():
        raise NotUsable("is a link to another file; put the file itself there")
    try:
        check_is_file(path)
    except WalksFileError as error:
        raise NotUsable(str(error)) from None
    with path.open("rb") as file:
        shape, in_columns, dtype = read_header(file)
        size, start = os.fstat(file.fileno()).st_size, file.tell()
    check_size(shape, dtype, size - start)
    if in_columns:
        return InColumns(RawArray(path, start, shape[::-1], dtype))
    return RawArray(path, start, shape, dtype)


def read_npz(path: Path) -> Contents:
    """Walks of an archive: members ``percepts`` and so on, or ``walk_0/percepts`` where there are several."""
    contents = Contents(path)
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(_Bounded(file))
            members = _list_members(archive, path)
            _gather(contents, members, lambda name: _open_member(path, file, archive, members[name]))
        except (zipfile.BadZipFile, zlib.error, struct.error, LookupError, *_DAMAGE) as error:
            raise WalksFileError(
                f"{path} is no whole .npz file: it was cut off or damaged ({error})"
            ) from None
    return contents


class _Bounded(io.BufferedReader):
    """A file of which no more is read at once than the largest table of contents, which zipfile reserves."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(io.FileIO(file.fileno(), closefd=False))

    def read(self, size: int | None = -1) -> bytes:
        most = _LARGEST_DIRECTORY + 1
        contents = super().read(most if size is None or size < 0 else min(size, most))
        if len(contents) > _LARGEST_DIRECTORY:
            raise zipfile.BadZipFile("its table of contents is too large")
        return contents


def _list_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise WalksFileError(f"{path} has {len(infos):,} members; use HDF5 for so many walks")
    members = {}
    for info in infos:
        name = info.filename.removesuffix(".npy")
        if name in members:
            raise WalksFileError(f"{path} has two members {name[:80]!r}; give each its own name")
        members[name] = info
    inflated = sum(info.file_size for info in infos if info.compress_type != zipfile.ZIP_STORED)
    if inflated > LARGEST_COMPRESSED:
        raise WalksFileError(
            f"{path} holds {inflated:,} bytes when unpacked, and what is compressed must be read in whole: "
            f"at most {LARGEST_COMPRESSED:,}; save it with np.savez, which does not compress, or as HDF5"
        )
    return members


def _open_member(path: Path, file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> StoredArray:
    if info.flag_bits & _IS_ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotUsable("is encrypted, or compressed as numpy does not; save it with np.savez")
    with archive.open(info) as member:
        shape, in_columns, dtype = read_header(member)
        start = member.tell()
        check_size(shape, dtype, info.file_size - start, exactly=True)
        if (
            info.compress_type == zipfile.ZIP_STORED
            and info.compress_size == info.file_size
            and not in_columns
        ):
            return RawArray(path, _data_offset(file, info) + start, shape, dtype)
        if info.file_size > LARGEST_COMPRESSED:
            raise NotUsable("is stored column by column, and too large to be read in whole; use order='C'")
        unpacked = bytearray()
        while piece := member.read(_PIECE):
            unpacked += piece
    check_size(shape, dtype, len(unpacked), exactly=True)
    return LoadedArray(np.frombuffer(unpacked, dtype).reshape(shape, order="F" if in_columns else "C"))


def _data_offset(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: behind a header whose length only the header itself says."""
    header = _ZIP_HEADER.unpack(os.pread(file.fileno(), _BYTES_OF_HEADER, info.header_offset))
    return info.header_offset + _BYTES_OF_HEADER + int(header[-2]) + int(header[-1])


def _gather(contents: Contents, names: Iterable[str], open_array: Any) -> None:
    """Sort arrays into walks by their names: ``percepts``, or ``walk_0/percepts``."""
    walks: dict[str, StoredWalk] = {}
    for name in names:
        walk_name, _, field = name.rpartition("/")
        if name == "action_names":
            _take_texts(contents, open_array)
            continue
        walk = walks.setdefault(walk_name, StoredWalk(walk_name or "walk"))
        if field not in FIELDS and field != "world":
            walk.others.append(field)
            continue
        try:
            array = open_array(name)
            if field == "world":
                walk.world = _read_world(array)
            else:
                walk.arrays[field] = array
        except NotUsable as error:
            contents.refuse(walk.name, f"{field} {error}")
    found = [name for name, walk in walks.items() if walk.arrays or name]
    contents.walks = [walks[name] for name in sorted(found, key=natural_key)]


def _take_texts(contents: Contents, open_array: Any) -> None:
    try:
        contents.take_action_names(_read_texts(open_array("action_names")))
    except NotUsable as error:
        contents.refuse("", f"action_names {error}")


def _read_texts(names: StoredArray) -> list[object]:
    if names.dtype.kind not in "US" or len(names.shape) != 1 or names.shape[0] > MOST_ACTION_NAMES:
        raise NotUsable(f"must be a list of at most {MOST_ACTION_NAMES:,} texts")
    if names.shape[0] * names.dtype.itemsize > _LARGEST_TEXT:
        raise NotUsable(f"must be of at most {_LARGEST_TEXT:,} bytes")
    texts: list[object] = names.read(0, names.shape[0]).tolist()
    return texts


def _read_world(array: StoredArray) -> str:
    if (
        array.shape not in ((), (1,))
        or array.dtype.kind not in "iuUS"
        or array.dtype.itemsize > _LARGEST_TEXT
    ):
        raise NotUsable(f"must be one name or whole number, and is {array.dtype} of shape {array.shape}")
    if array.shape == ():
        array = (
            RawArray(array.path, array.offset, (1,), array.dtype) if isinstance(array, RawArray) else array
        )
    values = array.values if isinstance(array, LoadedArray) else array.read(0, 1)
    (value,) = values.reshape(-1).tolist()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
