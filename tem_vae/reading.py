"""Files that somebody else wrote: only regular files are read, and only up to a size."""

import errno
import io
import os
import stat
from pathlib import Path

_UNITS = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def open_given(file: Path, largest: int) -> io.BufferedReader:
    """Open a file to read. A pipe would make the program wait, and a device may never end.

    Args:
        file: Its path; a link to a regular file is followed.
        largest: Its largest size, in bytes.

    Raises:
        OSError: It is missing, may not be read, is no regular file, or is larger; ``strerror`` says which.
    """
    _check(os.stat(file), largest)  # before it is opened: opening alone may do something to a device
    given = open(file, "rb", opener=_open_without_waiting)  # noqa: SIM115  the caller closes it
    try:
        _check(os.fstat(given.fileno()), largest)  # again: it could have been exchanged in between
    except OSError:
        given.close()
        raise
    return given


def read_given(file: Path, largest: int) -> bytes:
    """The contents of a file, read as `open_given` allows it.

    Raises:
        OSError: It is missing, may not be read, is no regular file, or is larger; ``strerror`` says which.
    """
    with open_given(file, largest) as given:
        contents = given.read(largest + 1)
    if len(contents) > largest:
        raise OSError(errno.EFBIG, f"it grows while it is read, and may hold at most {_in_units(largest)}")
    return contents


def _open_without_waiting(file: str, flags: int) -> int:
    return os.open(file, flags | getattr(os, "O_NONBLOCK", 0))


def _check(status: os.stat_result, largest: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, and must be a regular file")
    if status.st_size > largest:
        raise OSError(
            errno.EFBIG, f"it holds {_in_units(status.st_size)}, and may hold at most {_in_units(largest)}"
        )


def _in_units(size: int) -> str:
    """A number of bytes for people.

    Example:
        >>> _in_units(4 * 2**20), _in_units(300)
        ('4 MiB', '300 bytes')
    """
    unit, name = next((pair for pair in _UNITS if size >= pair[0]), (1, "bytes"))
    return f"{size / unit:.4g} {name}"
