"""What every percept source has: it draws a percept of a given class, a new one on every visit."""

from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tem_vae.arrays import IntArray

Split = Literal["train", "validation", "test"]

FloatPercepts = npt.NDArray[np.float32]


class References(NamedTuple):
    """Percepts of known class, from the training split, for the fixed nearest-percept classifier.

    Attributes:
        percepts: shape (references, *percept_shape).
        classes: shape (references,).
    """

    percepts: FloatPercepts
    classes: IntArray


class PerceptSource(Protocol):
    """Where percepts come from. Every percept is standardised."""

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept, such as (features,)."""

    @property
    def n_classes(self) -> int:
        """Classes that a place may hold."""

    @property
    def image_shape(self) -> tuple[int, int] | None:
        """Rows and columns if a percept is a flattened image."""

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        """Draw one percept of each class given, of shape (*classes.shape, *percept_shape)."""

    def references(self) -> References:
        """The references of the fixed classifier."""
