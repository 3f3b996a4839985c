"""How percepts of a source are shown: images in grey, any other vector as a grid of its features."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from tem_vae.data import PerceptSource
from tem_vae.data.percepts import FloatPercepts

_FEATURE_RANGE = 2.5  # in standard deviations of a feature


@runtime_checkable
class GreyImages(Protocol):
    """A percept source whose percepts are images that can be shown in grey."""

    def to_unit_range(self, percepts: FloatPercepts) -> FloatPercepts:
        """Grey levels in [0, 1], up to reconstruction error."""


@dataclass(frozen=True)
class Appearance:
    """Turns percepts into pictures.

    Attributes:
        source: Where the percepts come from.
    """

    source: PerceptSource

    @property
    def is_image(self) -> bool:
        """Whether a percept is an image; else its picture is a grid of features in reading order."""
        return self.source.image_shape is not None

    @property
    def value_range(self) -> tuple[float, float]:
        """The values shown darkest and lightest; beyond them all look alike."""
        if isinstance(self.source, GreyImages):
            return (0.0, 1.0)
        return (-_FEATURE_RANGE, _FEATURE_RANGE)

    def picture(self, percepts: FloatPercepts) -> FloatPercepts:
        """Pictures of percepts, (*, percept_dim) -> (*, rows, columns); NaN where a grid has no feature."""
        if isinstance(self.source, GreyImages):
            percepts = self.source.to_unit_range(percepts)
        return self.arrange(percepts)

    def arrange(self, features: FloatPercepts) -> FloatPercepts:
        """Features in the shape of a picture, values unchanged, (*, percept_dim) -> (*, rows, columns)."""
        rows, columns = self.source.image_shape or _grid(features.shape[-1])
        missing = rows * columns - features.shape[-1]
        padding = [(0, 0)] * (features.ndim - 1) + [(0, missing)]
        padded = np.pad(features, padding, constant_values=np.nan)
        return padded.reshape(*features.shape[:-1], rows, columns)


def _grid(features: int) -> tuple[int, int]:
    columns = math.ceil(math.sqrt(features))
    return math.ceil(features / columns), columns
