"""Arrays in numpy's format, of which only the header is read at first. Never with pickle."""

import tokenize
from typing import Any

import numpy as np
from numpy.lib import format as npy

from tem_vae.data.recorded.contents import Array, RawArray
from tem_vae.data.recorded.problems import NotUsable

_LONGEST_HEADER = 10_000

# What numpy raises where a header is no literal, or one of something else.
_DAMAGE = (
    ValueError,
    EOFError,
    SyntaxError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    MemoryError,
    tokenize.TokenError,
)


class InColumns:
    """An array whose first dimension runs fastest in the file, as transposed arrays are saved.

    Args:
        transposed: The same numbers, last dimension first.
    """

    def __init__(self, transposed: RawArray) -> None:
        self.dtype = transposed.dtype
        self.shape = transposed.shape[::-1]
        self._transposed = transposed

    def read(self, start: int, stop: int) -> Array:
        """Rows ``start`` to ``stop``; a page of the file for each of their numbers."""
        source = self._transposed
        mapped = np.memmap(source.path, self.dtype, "r", source.offset, source.shape)
        return np.array(mapped[..., start:stop].T)


def read_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first dimension runs fastest, and type; nothing is evaluated but a literal."""
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, in_columns, dtype = read(file, max_header_size=_LONGEST_HEADER)
    except KeyError:
        raise NotUsable("is of an unknown version of numpy's format") from None
    except _DAMAGE as error:
        reason = (str(error).splitlines() or ["its header is damaged"])[0][:100]
        raise NotUsable(f"is no .npy file ({reason})") from None
    if dtype.hasobject:
        raise NotUsable("holds Python objects, which only pickle could read; save an array of numbers")
    if not all(isinstance(size, int) and 0 <= size < 2**62 for size in shape):
        raise NotUsable(f"has the impossible shape {shape}")
    return shape, in_columns, dtype


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], size: int, exactly: bool = False) -> None:
    """What is declared must be there, before memory is taken for it."""
    declared = dtype.itemsize
    for length in shape:
        declared *= length
    if declared > size or (exactly and declared != size):
        raise NotUsable(
            f"declares the shape {shape}, which needs {declared:,} bytes, and has {size:,}: it was cut off"
        )
