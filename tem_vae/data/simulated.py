"""Walks drawn as they are needed: worlds, what their places hold, and a walk in each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tem_vae.arrays import IntArray
from tem_vae.data.policy import Policy
from tem_vae.data.source import PerceptSource, References, Split
from tem_vae.data.walk import Truth, Walks
from tem_vae.worlds import WorldSource, opposite_actions


@dataclass(frozen=True)
class SimulatedWalks:
    """Draws batches of walks: new worlds, places filled with classes evenly, a walk in each.

    Attributes:
        worlds: Where worlds come from.
        percepts: What their places look like.
        policy: How they are walked.
        split: Which share of the percepts may be shown.
        batch_size: Walks in a batch.
        walk_length: Percepts of a walk.
        blank: The probability that a place is blank, in [0, 1]. A blank place holds class 0, any other place
            one of the other classes. With 0 no class is set apart: every place holds any class, 0 among them.
        slips: The probability that what was recorded of an action is replaced by one drawn evenly from all,
            in [0, 1]; the walk is what it would have been.
    """

    worlds: WorldSource
    percepts: PerceptSource
    policy: Policy
    split: Split
    batch_size: int
    walk_length: int
    blank: float = 0.0
    slips: float = 0.0

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """That of the percept source."""
        return self.percepts.percept_shape

    @property
    def n_classes(self) -> int:
        """Those of the percept source."""
        return self.percepts.n_classes

    @property
    def actions(self) -> Sequence[str]:
        """Those of the worlds."""
        return self.worlds.actions

    @property
    def opposites(self) -> Mapping[int, int]:
        """As found in one of the worlds."""
        return opposite_actions(self.worlds.sample(1, np.random.default_rng(0)))

    def every_percept(self) -> Iterator[Tensor]:
        """None: percepts are drawn, and are standardised as they are."""
        return iter(())

    def references(self) -> References:
        """Those of the percept source."""
        return self.percepts.references()

    def lengthened(self) -> Self:
        """The same with walks twice as long and half as many."""
        return replace(self, batch_size=max(1, self.batch_size // 2), walk_length=2 * self.walk_length)

    def sample(self, rng: np.random.Generator) -> Walks:
        """Draw one batch."""
        worlds = self.worlds.sample(self.batch_size, rng)
        contents = self._fill(worlds.destinations.shape[:2], rng)
        places, actions = self.policy.walk(worlds, self.walk_length, rng)
        classes = np.take_along_axis(contents, places, axis=1)
        percepts = self.percepts.sample(classes, self.split, rng)
        positions = np.take_along_axis(worlds.layout, places[..., None], axis=1)
        recorded = self._record(actions, rng)
        return Walks(
            percepts=torch.from_numpy(percepts),
            actions=torch.from_numpy(recorded),
            mask=torch.ones(places.shape, dtype=torch.bool),
            truth=Truth(
                places=torch.from_numpy(places),
                classes=torch.from_numpy(classes),
                positions=torch.from_numpy(positions).float(),
                actions=None if self.slips == 0 else torch.from_numpy(actions),
            ),
        )

    def _record(self, actions: IntArray, rng: np.random.Generator) -> IntArray:
        """What is recorded of actions, of the same shape."""
        if self.slips == 0:
            return actions
        slipped = rng.random(actions.shape) < self.slips
        return np.where(slipped, rng.integers(len(self.actions), size=actions.shape), actions)

    def _fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> IntArray:
        """The class that every place holds, shape (batch, places)."""
        if self.blank == 0:
            return rng.integers(self.percepts.n_classes, size=shape)
        is_blank = rng.random(shape) < self.blank
        return np.where(is_blank, 0, rng.integers(1, self.percepts.n_classes, size=shape))
