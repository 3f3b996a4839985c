"""The archive that a checkpoint is, read without trusting it. No torch, which takes seconds to load.

``torch.save`` writes a zip archive: a pickle with the values, and one uncompressed member for the numbers of
each tensor. Whatever else is in an archive was put there by somebody else, and is refused.
"""

import io
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tem_vae.reading import open_given

LARGEST_ARCHIVE = 2**31  # bytes: 178 million weights with the state of AdamW
LARGEST_PICKLE = 16 * 2**20  # three world files of the largest size, and the rest
_LARGEST_DIRECTORY = 4 * 2**20
_MOST_MEMBERS = 20_000
_PIECE = 2**20

_MEMBERS = re.compile(
    r"data\.pkl|data/\d+|byteorder|version|\.format_version|\.storage_alignment|\.data/serialization_id"
)


class ArchiveError(ValueError):
    """A file is no archive of ``torch.save``, or a damaged one; the message says why, without its name."""


class Archive:
    """The members of an open archive, all of which have been checked.

    Attributes:
        sizes: The size of every stored tensor in bytes, by its key.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = _list_members(archive)
        self.sizes = {
            name.removeprefix("data/"): member.file_size
            for name, member in self._members.items()
            if name.startswith("data/")
        }
        for member in self._members.values():
            self._check_sum(member)
        if self.read("byteorder") != sys.byteorder.encode():
            raise ArchiveError("its numbers are in another byte order than this machine's")

    def read(self, name: str) -> bytearray:
        """The contents of a member, such as ``data.pkl`` or ``data/0``.

        Raises:
            ArchiveError: Its check sum has become wrong since it was checked.
        """
        contents = bytearray()
        with _damage_named(), self._archive.open(self._members[name]) as member:
            while piece := member.read(_PIECE):
                contents += piece
        return contents

    def _check_sum(self, member: zipfile.ZipInfo) -> None:
        with self._archive.open(member) as contents:
            while contents.read(_PIECE):
                pass


@contextmanager
def open_archive(file: Path) -> Iterator[Archive]:
    """Open an archive and check all of it: what its members are called, their sizes, and their check sums.

    Raises:
        ArchiveError: Something about it is not as ``torch.save`` writes it.
        OSError: It cannot be read, or is too large.
    """
    with open_given(file, LARGEST_ARCHIVE) as given:
        with _damage_named():
            archive = Archive(zipfile.ZipFile(_InPieces(given)))
        yield archive


@contextmanager
def _damage_named() -> Iterator[None]:
    """One error for the many that zipfile raises where it stumbles over damage."""
    try:
        yield
    except ArchiveError:
        raise
    except (
        zipfile.BadZipFile,
        struct.error,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise ArchiveError("it was cut off or damaged, or something else wrote it") from error


class _InPieces(io.BufferedReader):
    """A file of which no more is read at once than the largest table of contents.

    The table says itself how large it is, and zipfile would reserve as much.
    """

    def read(self, size: int | None = -1) -> bytes:
        most = _LARGEST_DIRECTORY + 1
        contents = super().read(most if size is None or size < 0 else min(size, most))
        if len(contents) > _LARGEST_DIRECTORY:
            raise ArchiveError("its table of contents is too large")
        return contents


def _list_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by their names below the one folder that all are in."""
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise ArchiveError(f"it has {len(infos):,} members, and may have at most {_MOST_MEMBERS:,}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        folder, _, name = info.filename.partition("/")
        if not _MEMBERS.fullmatch(name) or folder != infos[0].filename.partition("/")[0] or name in members:
            raise ArchiveError(f"it has a member {info.filename[:80]!r}, which no checkpoint has")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ArchiveError("it is compressed, as no checkpoint is")
        members[name] = info
    if missing := {"data.pkl", "byteorder"} - members.keys():
        raise ArchiveError(f"it lacks {', '.join(sorted(missing))}")
    if (
        sum(info.file_size for info in infos) > LARGEST_ARCHIVE
        or members["data.pkl"].file_size > LARGEST_PICKLE
    ):
        raise ArchiveError("it holds more than a checkpoint does")
    return members
