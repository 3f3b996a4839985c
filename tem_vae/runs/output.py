"""What a script prints: nothing that happens to its output ends a run."""

import io
import logging
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Lossy(io.FileIO):
    """A stream of the process that drops what it cannot write: its reader has gone, or its disk is full."""

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or act as if."""
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data))


def keep_printing() -> None:
    """Make standard output and standard error fit for anything, to the end of the process.

    A stream that was closed, as by ``>&-``, becomes one to nowhere. What a stream cannot encode becomes a
    question mark. What it cannot write, as after ``| head -1``, is dropped. A stream that is not the
    process's own, as in a notebook or in a test, stays as it is. A line that cannot be logged is dropped too.
    """
    logging.raiseExceptions = False
    _occupy_descriptors()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _lossy(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _lossy(sys.stderr, 2)


def _occupy_descriptors() -> None:
    """A file that is opened later must not get the number of a closed stream: prints would go into it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _lossy(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is None:
        encoding, by_line = "utf-8", True
    else:
        stream.flush()
        encoding, by_line = stream.encoding, bool(stream.line_buffering) or descriptor == 2
    buffer = io.BufferedWriter(_Lossy(descriptor, "wb", closefd=False))
    return io.TextIOWrapper(buffer, encoding=encoding, errors="replace", line_buffering=by_line)
