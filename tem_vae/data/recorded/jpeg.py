"""Images that Minari stores as JPEG files, one a step."""

import io
from dataclasses import dataclass
from typing import Any, Protocol

import h5py
import numpy as np

from tem_vae.data.recorded.contents import Array, StoredArray
from tem_vae.data.recorded.problems import WalksFileError

_FIRST_BYTES = b"\xff\xd8\xff"
_LARGEST_FILE = 64 * 2**20
_MOST_PIXELS = 2**22


class _ArrayOfFiles(StoredArray, Protocol):
    """An array that knows its name."""

    @property
    def name(self) -> str:
        """For messages."""


@dataclass(frozen=True)
class JpegFrames:
    """Images of one size, each unpacked when it is read.

    Attributes:
        files: The bytes of a JPEG file for each step.
        shape: (time, rows, columns) or (time, rows, columns, 3).
        dtype: Of a pixel.
    """

    files: _ArrayOfFiles
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = np.dtype(np.uint8)  # noqa: RUF009  types are never changed

    @staticmethod
    def is_stored_in(data: h5py.Dataset) -> bool:
        """Whether a data set holds such files: of any length, or rows of bytes that begin as they do."""
        if h5py.check_vlen_dtype(data.dtype) == np.uint8:
            return bool(data.ndim == 1)
        is_rows = data.dtype == np.uint8 and data.ndim == 2 and 0 < data.shape[1] <= _LARGEST_FILE
        return bool(is_rows) and data.shape[0] > 0 and bytes(data[0, : len(_FIRST_BYTES)]) == _FIRST_BYTES

    @classmethod
    def of(cls, files: _ArrayOfFiles) -> "JpegFrames":
        """Look at the first image, whose size all must have."""
        if not files.shape[0]:
            return cls(files, (0, 0, 0))
        return cls(files, (files.shape[0], *_unpack(files.read(0, 1)[0], files.name).shape))

    def read(self, start: int, stop: int) -> Array:
        """Images ``start`` to ``stop``."""
        images = [_unpack(file, self.files.name) for file in self.files.read(start, stop)]
        if any(image.shape != self.shape[1:] for image in images):
            raise WalksFileError(f"{self.files.name} has images of different sizes; all must have one size")
        return np.stack(images) if images else np.empty((0, *self.shape[1:]), np.uint8)


def _unpack(file: Array, name: str) -> Array:
    from PIL import Image  # few data sets need it

    try:
        with Image.open(io.BytesIO(file.tobytes()), formats=["JPEG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise WalksFileError(f"{name} has images of more than {_MOST_PIXELS:,} pixels")
            return np.asarray(image, np.uint8)
    except (OSError, SyntaxError, AttributeError, Image.DecompressionBombError) as error:
        raise WalksFileError(f"{name} has an image that is no whole JPEG file ({str(error)[:100]})") from None
