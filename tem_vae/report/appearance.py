"""How percepts are shown: images as images, any other vector as a grid of its features."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from tem_vae.data import PerceptSource
from tem_vae.data.source import FloatPercepts

_FEATURE_RANGE = 2.5  # in standard deviations of a feature
_COLORS = 3


@runtime_checkable
class GreyImages(Protocol):
    """A percept source whose percepts are images that can be shown in grey."""

    def to_unit_range(self, percepts: FloatPercepts) -> FloatPercepts:
        """Grey levels in [0, 1], up to reconstruction error."""


@dataclass(frozen=True)
class Appearance:
    """Turns percepts into pictures.

    Attributes:
        percept_shape: The shape of one percept: (features,), (rows, columns) or (channels, rows, columns).
        source: What draws percepts; None where they were recorded.
    """

    percept_shape: tuple[int, ...]
    source: PerceptSource | None

    @property
    def is_image(self) -> bool:
        """Whether a percept is an image; else its picture is a grid of features in reading order."""
        return len(self.percept_shape) > 1 or self._flat_image is not None

    @property
    def value_range(self) -> tuple[float, float]:
        """The values shown darkest and lightest; beyond them all look alike."""
        if self._grey_images is not None:
            return (0.0, 1.0)
        return (-_FEATURE_RANGE, _FEATURE_RANGE)

    def picture(self, percepts: FloatPercepts) -> FloatPercepts:
        """Pictures of percepts, (*, *percept_shape) -> (*, rows, columns); NaN where a grid has no feature.

        Percepts of three channels are shown in color, between 0 and 1: (*, rows, columns, 3).
        """
        if self._grey_images is not None:
            percepts = self._grey_images.to_unit_range(percepts)
        if len(self.percept_shape) == 3 and self.percept_shape[0] == _COLORS:
            low, high = self.value_range
            colors: FloatPercepts = np.clip((np.moveaxis(percepts, -3, -1) - low) / (high - low), 0, 1)
            return colors
        return self.arrange(percepts)

    def arrange(self, features: FloatPercepts) -> FloatPercepts:
        """Features in the shape of a picture, (*, *percept_shape) -> (*, rows, columns).

        Values stay as they are; those of several channels are averaged.
        """
        if len(self.percept_shape) == 3:
            mean: FloatPercepts = features.mean(axis=-3)
            return mean
        if len(self.percept_shape) == 2:
            return features
        rows, columns = self._flat_image or _grid(features.shape[-1])
        missing = rows * columns - features.shape[-1]
        padding = [(0, 0)] * (features.ndim - 1) + [(0, missing)]
        padded = np.pad(features, padding, constant_values=np.nan)
        return padded.reshape(*features.shape[:-1], rows, columns)

    @property
    def _grey_images(self) -> GreyImages | None:
        source: object = self.source
        return source if isinstance(source, GreyImages) else None

    @property
    def _flat_image(self) -> tuple[int, int] | None:
        """Rows and columns of percepts that are images laid out as vectors."""
        return self.source.image_shape if self.source else None


def _grid(features: int) -> tuple[int, int]:
    columns = math.ceil(math.sqrt(features))
    return math.ceil(features / columns), columns
