"""What the figures show: a trained model and held-out walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from torch import Tensor

from tem_vae.data import PerceptSource, Walks, concatenate
from tem_vae.data.percepts import Split
from tem_vae.model import TemVae
from tem_vae.report.action_phases import ActionPhases, measure_action_phases
from tem_vae.report.appearance import Appearance
from tem_vae.report.exploration import Exploration, explore
from tem_vae.report.walk_trace import WalkTrace, trace_walk

SHOWN_WALK = 0


@dataclass(frozen=True)
class Subject:
    """A model and the walks on which the figures show it.

    What several figures need is computed once, by the first of them.

    Attributes:
        model: On the CPU, in evaluation mode.
        source: Where the percepts come from.
        split: The split of the percepts on the walks; neighbors are sought in training percepts.
        actions: Names of the actions.
        batches: Held-out walks, as many in a batch as memory allows; the first is shown step by step.
        seed: Decides whatever is sampled for a figure.
        history: ``history.csv`` of the run; None, or no file there, if training cannot be shown.
    """

    model: TemVae
    source: PerceptSource
    split: Split
    actions: Sequence[str]
    batches: Sequence[Walks]
    seed: int
    history: Path | None = None

    @cached_property
    def walks(self) -> Walks:
        """All walks in one batch."""
        return concatenate(self.batches)

    @cached_property
    def appearance(self) -> Appearance:
        """How percepts look."""
        return Appearance(self.source)

    @cached_property
    def trace(self) -> WalkTrace:
        """The first walk, step by step."""
        return trace_walk(self.model, self.walks, SHOWN_WALK, self.source.n_classes)

    @cached_property
    def phases(self) -> ActionPhases:
        """The rotation that each action adds."""
        return measure_action_phases(self.model, self.walks, self.actions)

    @cached_property
    def exploration(self) -> Exploration:
        """What the model expected on every walk."""
        return explore(self.model, self.batches, self.source.n_classes)

    def percepts(self, number: int) -> Tensor:
        """The first percepts of the walks, (number, percept_dim)."""
        return self.walks.percepts.flatten(0, 1)[:number]

    def generator(self) -> np.random.Generator:
        """A source of draws, the same for every figure."""
        return np.random.default_rng(self.seed)
