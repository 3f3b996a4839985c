"""Compressed chunks of HDF5 files, which unpack to no more than they should.

HDF5 unpacks whatever a chunk holds, also a thousand times more than the chunk is large. So what a chunk could
unpack to is bounded before HDF5 reads it, by its stored size or by unpacking it up to that bound.
"""

import itertools
import zlib
from collections.abc import Iterator

import h5py

from tem_vae.data.recorded.problems import NotUsable

LARGEST_CHUNK = 256 * 2**20  # bytes; a chunk must be unpacked in whole to read any of it
_GZIP, _LZF = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_LZF
_FILTERS = {_GZIP, _LZF, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_LARGEST_FACTOR = {_GZIP: 1_032, _LZF: 90}  # by which one byte can become more
_SLACK = 1_024  # of check sums, and of what cannot be compressed


def check_filters(data: h5py.Dataset) -> None:
    """Check that chunks are packed by no plug-in, by one method at most, and are not too large.

    Raises:
        NotUsable: They are not so.
    """
    plan = data.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if unknown := set(filters) - _FILTERS:
        raise NotUsable(f"is packed by a filter of number {min(unknown)}; use gzip, lzf or no compression")
    if len(_packing(data)) > 1:
        raise NotUsable("is packed twice; pack it once")
    if data.chunks and _bytes_of_chunk(data) > LARGEST_CHUNK:
        raise NotUsable(f"has chunks of more than {LARGEST_CHUNK:,} bytes; store it in smaller ones")


def check_chunks(data: h5py.Dataset, start: int, stop: int) -> None:
    """Check what the chunks of some rows unpack to.

    Raises:
        NotUsable: To more than a chunk.
    """
    if not data.chunks or not (packing := _packing(data)):
        return
    size = _bytes_of_chunk(data)
    for corner in _corners(data, start, stop):
        stored = data.id.get_chunk_info_by_coord(corner).size
        if stored > 2 * size + _SLACK:
            raise NotUsable("has a chunk that is stored in more bytes than it holds")
        if stored * _LARGEST_FACTOR[packing[0]] <= LARGEST_CHUNK:
            continue
        if packing[0] == _LZF:
            raise NotUsable("has large chunks packed by lzf; pack it with gzip, or store it in smaller ones")
        _, packed = data.id.read_direct_chunk(corner)
        if _unpacks_to_more(packed, size + _SLACK):
            raise NotUsable("has a chunk that unpacks to more than a chunk; it is damaged or hostile")


def _unpacks_to_more(packed: bytes, most: int) -> bool:
    try:
        return len(zlib.decompressobj().decompress(packed, most + 1)) > most
    except zlib.error:  # HDF5 will say so
        return False


def _packing(data: h5py.Dataset) -> list[int]:
    plan = data.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    return [number for number in filters if number in _LARGEST_FACTOR]


def _bytes_of_chunk(data: h5py.Dataset) -> int:
    size = int(data.dtype.itemsize)
    for length in data.chunks:
        size *= length
    return size


def _corners(data: h5py.Dataset, start: int, stop: int) -> Iterator[tuple[int, ...]]:
    """Where the chunks begin that some rows are in."""
    first = start - start % data.chunks[0]
    rows = range(first, min(stop, data.shape[0]), data.chunks[0])
    others = (range(0, length, step) for length, step in zip(data.shape[1:], data.chunks[1:], strict=True))
    return itertools.product(rows, *others)
