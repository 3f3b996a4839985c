"""What the figures show: a trained model and held-out walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from tem_vae.arrays import IntArray
from tem_vae.data import PerceptSource, UnknownTruthError, Walks, WalkSource, concatenate
from tem_vae.model import TemVae
from tem_vae.report.action_phases import ActionPhases, measure_action_phases
from tem_vae.report.appearance import Appearance
from tem_vae.report.exploration import Exploration, explore
from tem_vae.report.walk_trace import WalkTrace, trace_walk


@dataclass(frozen=True)
class Subject:
    """A model and the walks on which the figures show it.

    What several figures need is computed once, by the first of them. Whatever needs a part of the truth that
    the walks do not have raises `UnknownTruthError`.

    Attributes:
        model: On the CPU, in evaluation mode.
        source: Where the walks come from.
        batches: Held-out walks, as many in a batch as memory allows; the first is shown step by step.
        seed: Decides whatever is sampled for a figure.
        history: ``history.csv`` of the run; None, or no file there, if training cannot be shown.
    """

    model: TemVae
    source: WalkSource
    batches: Sequence[Walks]
    seed: int
    history: Path | None = None

    @cached_property
    def walks(self) -> Walks:
        """All walks in one batch."""
        return concatenate(self.batches)

    @cached_property
    def shown_walk(self) -> Walks:
        """The first walk, without padding."""
        first = self.batches[0].row(0)
        return first.beginning(int(first.mask.sum()))

    @cached_property
    def appearance(self) -> Appearance:
        """How percepts look."""
        return Appearance(self.source.percept_shape, self.source.percepts)

    @cached_property
    def trace(self) -> WalkTrace:
        """The first walk, step by step."""
        return trace_walk(self.model, self.shown_walk, self.source.n_classes)

    @cached_property
    def phases(self) -> ActionPhases:
        """The rotation that each action adds.

        Raises:
            UnknownTruthError: Actions are not numbered.
        """
        if not self.source.actions:
            raise UnknownTruthError("needs numbered actions, and those of these walks are real-valued")
        return measure_action_phases(self.model, self.source.actions, self.source.opposites)

    @cached_property
    def exploration(self) -> Exploration:
        """What the model expected on every walk."""
        return explore(self.model, self.batches, self.source.n_classes)

    @property
    def percept_source(self) -> PerceptSource:
        """What draws percepts by class.

        Raises:
            UnknownTruthError: Percepts were recorded.
        """
        if self.source.percepts is None:
            raise UnknownTruthError("needs a source of percepts by class, which recorded walks do not have")
        return self.source.percepts

    def percepts(self, number: int) -> Tensor:
        """The first percepts of the walks, (number, *percept_shape)."""
        return self.walks.percepts[self.walks.seen][:number]

    def generator(self) -> np.random.Generator:
        """A source of draws, the same for every figure."""
        return np.random.default_rng(self.seed)


def spread_evenly(candidates: IntArray, number: int) -> IntArray:
    """At most so many of the candidates, spread over all of them, in their order."""
    chosen = np.linspace(0, len(candidates) - 1, min(number, len(candidates))).round().astype(np.int64)
    spread: IntArray = candidates[chosen]
    return spread
