"""One walk, step by step: what was seen, what was expected, and where memory looked."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.data import Walks, classify_steps
from tem_vae.data.source import FloatPercepts
from tem_vae.model import TemVae
from tem_vae.report.table import Table
from tem_vae.scores.prediction import remembered_class

StepKind = Literal["start", "stay", "first visit", "revisit", "zero-shot link"]


class StepClasses(NamedTuple):
    """Classes of percepts along a walk.

    Attributes:
        seen: The class of each percept, (time,).
        expected: The class to which memory gave the most weight, (time,).
    """

    seen: IntArray
    expected: IntArray

    @property
    def right(self) -> BoolArray:
        """Whether memory named the class, (time,)."""
        right: BoolArray = self.expected == self.seen
        return right


@dataclass(frozen=True)
class WalkTrace:
    """One walk and what the model expected before every step.

    Attributes:
        percepts: What was seen, (time, *percept_shape).
        predicted: The decoded prediction made before seeing it, (time, *percept_shape).
        classes: The class seen and the one expected, at every step; None where classes are not known.
        places: The place of each step, (time,).
        positions: Where it lies in the plane, in link lengths, (time, 2).
        kinds: How each step arrived, (time,).
        memory_weights: Row t holds the weights of earlier steps at step t, (time, time).
        novelty: The weight of the null component, (time,).
    """

    percepts: FloatPercepts
    predicted: FloatPercepts
    classes: StepClasses | None
    places: IntArray
    positions: FloatArray
    kinds: tuple[StepKind, ...]
    memory_weights: FloatArray
    novelty: FloatArray

    def steps(self, kind: StepKind) -> IntArray:
        """The steps of a kind."""
        return np.flatnonzero(np.array(self.kinds) == kind)

    @property
    def layout(self) -> FloatArray:
        """Where each place lies, (places, 2); NaN for a place that the walk did not see."""
        layout = np.full((int(self.places.max()) + 1, 2), np.nan)
        layout[self.places] = self.positions
        return layout

    def looked_at(self, step: int) -> FloatArray:
        """The weight that memory gives each place at a step, summed over its visits so far, (places,)."""
        weights = np.zeros(int(self.places.max()) + 1)
        np.add.at(weights, self.places, self.memory_weights[step])
        return weights

    def tables(self) -> list[Table]:
        """Every step, and every memory weight above a thousandth."""
        classes = {}
        if self.classes is not None:
            classes = {"class seen": self.classes.seen, "class expected": self.classes.expected}
        time = np.arange(len(self.places))
        steps = {
            "step": time,
            "x (links)": self.positions[:, 0],
            "y (links)": self.positions[:, 1],
            "place": self.places,
            **classes,
            "kind": np.array(self.kinds),
            "novelty": self.novelty,
        }
        looking, looked_at = np.nonzero(self.memory_weights > 1e-3)
        weights = {
            "step": looking,
            "remembered step": looked_at,
            "weight": self.memory_weights[looking, looked_at],
        }
        return [Table("walk_steps", steps), Table("walk_memory_weights", weights)]


def trace_walk(model: TemVae, walk: Walks, n_classes: int | None) -> WalkTrace:
    """Let the model predict every step of one walk.

    Args:
        model: The model.
        walk: A batch of one walk, without padding.
        n_classes: Classes of percepts; None where they are not known.

    Raises:
        UnknownTruthError: Places or positions are not known.
    """
    places, positions = walk.known("places"), walk.known("positions")
    prediction = model.predict(walk.percepts, walk.actions)
    classes = None
    if walk.classes is not None and n_classes is not None:
        expected = remembered_class(prediction.prior, walk.classes, n_classes)
        classes = StepClasses(walk.classes[0].numpy(), expected[0].numpy())
    return WalkTrace(
        percepts=walk.percepts[0].numpy(),
        predicted=prediction.percepts[0].float().numpy(),
        classes=classes,
        places=places[0].numpy(),
        positions=positions[0].double().numpy(),
        kinds=name_kinds(places),
        memory_weights=prediction.memory_weights[0].double().numpy(),
        novelty=prediction.novelty[0].double().numpy(),
    )


def name_kinds(places: torch.Tensor) -> tuple[StepKind, ...]:
    """How each step of a single walk arrived, from places of shape (1, time)."""
    kinds = classify_steps(places)
    names: list[StepKind] = ["stay"] * places.shape[1]
    names[0] = "start"
    named: list[tuple[StepKind, torch.Tensor]] = [
        ("first visit", kinds.first_visit),
        ("revisit", kinds.known_link),
        ("zero-shot link", kinds.zero_shot),
    ]
    for name, steps in named:
        for step in steps[0].nonzero()[:, 0].tolist():
            names[step] = name
    return tuple(names)
