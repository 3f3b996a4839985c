"""What sources of walks and of percepts must offer. A new source is a class that fits a page of these."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data.walk import Walks

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

    @property
    def relevant_basis(self) -> FloatArray | None:
        """Orthonormal columns that span what a metric should find in percepts, (features, dim).

        None where nobody knows.
        """

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        """Draw one percept of each class given, of shape (*classes.shape, *percept_shape)."""

    def references(self) -> References:
        """The references of the fixed classifier."""


class WalkSource(Protocol):
    """Draws batches of walks."""

    @property
    def split(self) -> Split:
        """Which share of the data it draws from; sources of different splits draw differently."""

    @property
    def batch_size(self) -> int:
        """Walks in a batch."""

    @property
    def walk_length(self) -> int:
        """Percepts of a walk, at most."""

    @property
    def percepts(self) -> PerceptSource | None:
        """What draws percepts by class; None where percepts were recorded."""

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept: (features,) of a vector, (rows, columns) or (channels, rows, columns)."""

    @property
    def n_classes(self) -> int | None:
        """Classes of percepts; None where classes are not known."""

    @property
    def actions(self) -> Sequence[str]:
        """The names of the actions, in the order of their numbers."""

    @property
    def opposites(self) -> Mapping[int, int]:
        """For each action the one that always undoes it; empty where nobody knows."""

    def every_percept(self) -> Iterator[Tensor]:
        """All recorded percepts of its walks, piece by piece, (steps, *percept_shape).

        NaN where they are missing. None are there where percepts are drawn: those are standardised already.
        """

    def references(self) -> References | None:
        """Training percepts of known class, for the fixed classifier; None where classes are not known."""

    def lengthened(self) -> Self:
        """The same with walks twice as long and half as many."""

    def sample(self, rng: np.random.Generator) -> Walks:
        """Draw one batch, a function of the generator alone."""
