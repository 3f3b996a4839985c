"""Memory that was freed is kept for the next tensor."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, see malloc.h of the GNU C library
_MOST_BYTES = 2**31 - 1
_LARGEST_MMAP_THRESHOLD = 2**25


def keep_freed_memory() -> None:
    """Keep what this process frees, in pieces of up to 32 MB, instead of giving it back to the system.

    Tensors of some MB are made and freed hundreds of times a second. Where the allocator gives their memory
    back, as that of the GNU C library does, each new one is made of pages that the system has to clear first:
    6 % of an update. Other libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _MOST_BYTES)
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
