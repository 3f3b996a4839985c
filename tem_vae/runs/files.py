"""Files that are whole whenever they are there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place at the end of the block, when its bytes are on the disk.

    It is written beside its place, under the same name with ``.part`` added, and then renamed: a kill or a
    power cut at any moment leaves the old file or the new one. An error in the block leaves the old one.
    The scratch file is always a new one: a link under its name is removed, and what it points to is not
    written to.

    Args:
        path: Of the file. Its folder must be there: one that was removed is not to come back half empty.

    Raises:
        OSError: It cannot be written, as where the disk is full; ``filename`` says which file.
    """
    scratch = path.with_name(f"{path.name}.part")
    scratch.unlink(missing_ok=True)
    try:
        with scratch.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        if error.errno:
            error.filename = error.filename or str(path)
        with suppress(OSError):  # half a file takes the room that others may need
            scratch.unlink()
        raise
    _sync_folder(path.parent)


def write_whole(path: Path, text: str) -> None:
    """Write a text as `whole_file` does, in UTF-8."""
    with whole_file(path) as file:
        file.write(text.encode())


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
