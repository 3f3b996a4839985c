"""Where walks come from: what every source of walks must offer."""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

import numpy as np

from tem_vae.data.percepts import PerceptSource, References, Split
from tem_vae.data.walk import Walks


class WalkSource(Protocol):
    """Draws batches of walks. A new source is a class that fits this page."""

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

    def references(self) -> References | None:
        """Training percepts of known class, for the fixed classifier; None where classes are not known."""

    def lengthened(self) -> Self:
        """The same with walks twice as long and half as many."""

    def sample(self, rng: np.random.Generator) -> Walks:
        """Draw one batch, a function of the generator alone."""
