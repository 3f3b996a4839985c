"""From a model and held-out walks to illustrations: what is measured for each figure, and on what."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from tem_vae.data import PerceptSource, Walks
from tem_vae.data.percepts import Split
from tem_vae.model import TemVae
from tem_vae.report.appearance import Appearance
from tem_vae.report.exploration import Exploration
from tem_vae.report.figures.accuracy import describe_accuracy, draw_accuracy
from tem_vae.report.figures.distances import describe_distances, draw_distances
from tem_vae.report.figures.neighborhoods import describe_neighborhoods, draw_neighborhoods
from tem_vae.report.figures.novelty import describe_novelty, draw_novelty
from tem_vae.report.figures.path_integration import (
    describe_phases,
    describe_world_map,
    draw_phases,
    draw_world_map,
)
from tem_vae.report.figures.rate_maps import describe_rate_maps, draw_rate_maps
from tem_vae.report.figures.spectra import describe_spectra, draw_spectra
from tem_vae.report.figures.training import describe_training, draw_training
from tem_vae.report.figures.walk import describe_walk, draw_walk
from tem_vae.report.illustration import Illustration
from tem_vae.report.location_codes import (
    ActionPhases,
    map_world,
    measure_action_phases,
    measure_drift,
)
from tem_vae.report.measurements.accuracy_breakdown import break_down_accuracy
from tem_vae.report.measurements.distances import measure_visits, sample_distances
from tem_vae.report.measurements.neighborhood_samples import sample_neighborhoods
from tem_vae.report.measurements.novelty import measure_novelty
from tem_vae.report.measurements.rate_maps import measure_rate_maps
from tem_vae.report.measurements.spectra import measure_spectra
from tem_vae.report.measurements.training_history import TrainingHistory
from tem_vae.report.walk_trace import WalkTrace, trace_walk

_SHOWN_WALK = 0
_SHOWN_REFERENCES = 4
_QUERIES = 300
_POOL = 2000
_LINEARISED_AT = 200
_CENTERS = 2000


@dataclass(frozen=True)
class Subject:
    """What is to be seen.

    Attributes:
        model: On the CPU, in evaluation mode.
        source: Where the percepts come from.
        split: The split of the percepts on the walks; neighbors are sought in training percepts.
        actions: Names of the actions.
        walks: Held-out walks; the first is shown step by step.
        seed: Decides whatever is sampled for a figure.
    """

    model: TemVae
    source: PerceptSource
    split: Split
    actions: Sequence[str]
    walks: Walks
    seed: int

    @cached_property
    def appearance(self) -> Appearance:
        """How percepts look."""
        return Appearance(self.source)

    @cached_property
    def trace(self) -> WalkTrace:
        """The walk that is shown."""
        return trace_walk(self.model, self.walks, _SHOWN_WALK, self.source.n_classes)

    @cached_property
    def phases(self) -> ActionPhases:
        """What each action adds."""
        return measure_action_phases(self.model, self.walks, self.actions)

    def generator(self) -> np.random.Generator:
        """A source of draws, the same for every figure."""
        return np.random.default_rng(self.seed)


def illustrate_walk(subject: Subject) -> Illustration:
    """A walk, step by step."""
    trace, appearance = subject.trace, subject.appearance
    return Illustration(
        "walk",
        "A walk: predicted before it is seen",
        draw_walk(trace, appearance),
        describe_walk(trace, appearance),
        trace.tables(),
    )


def illustrate_neighborhoods(subject: Subject) -> Illustration:
    """What a neighborhood holds and what the metric ignores."""
    rng = subject.generator()
    queries = _draw_percepts(subject.source, subject.split, _QUERIES, rng)
    pool = _draw_percepts(subject.source, "train", _POOL, rng)
    data = sample_neighborhoods(subject.model, queries, pool, _SHOWN_REFERENCES, subject.seed)
    return Illustration(
        "neighborhoods",
        "Neighborhoods: what the metric ignores",
        draw_neighborhoods(data, subject.appearance),
        describe_neighborhoods(data, subject.appearance),
        data.tables(),
    )


def _draw_percepts(
    source: PerceptSource, split: Split, number: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Different percepts of a split, at most so many, and their classes."""
    classes = np.arange(number) % source.n_classes
    percepts = source.sample(classes, split, rng)
    different = np.sort(np.unique(percepts, axis=0, return_index=True)[1])
    return torch.from_numpy(percepts[different]), torch.from_numpy(classes[different])


def illustrate_spectra(subject: Subject) -> Illustration:
    """Spectra of E and S⁻¹E, and the rows of E in percept space."""
    data = measure_spectra(subject.model, _percepts(subject.walks, _LINEARISED_AT))
    return Illustration(
        "spectra",
        "Spectra: how many directions count",
        draw_spectra(data, subject.appearance),
        describe_spectra(data, subject.appearance),
        data.tables(),
    )


def illustrate_phases(subject: Subject) -> Illustration:
    """The rotations that actions add, and drift in loops."""
    drift = measure_drift(subject.model, subject.phases, subject.generator())
    return Illustration(
        "path_integration",
        "Path integration: what each action adds",
        draw_phases(subject.phases, drift),
        describe_phases(subject.phases, drift),
        [*subject.phases.tables(), *(drift.tables() if drift else [])],
    )


def illustrate_rate_maps(subject: Subject) -> Illustration:
    """Rate maps, autocorrelograms and grid scores."""
    data = measure_rate_maps(subject.model, subject.walks, _SHOWN_WALK, subject.trace, subject.phases)
    return Illustration(
        "rate_maps",
        "Rate maps of location channels and of memory",
        draw_rate_maps(data),
        describe_rate_maps(data),
        data.tables(),
    )


def illustrate_world_map(subject: Subject) -> Illustration:
    """The codes of a world in two dimensions."""
    data = map_world(subject.model, subject.walks, _SHOWN_WALK)
    return Illustration(
        "world_map",
        "A world in location codes",
        draw_world_map(data),
        describe_world_map(data),
        data.tables() if data else [],
    )


def illustrate_distances(subject: Subject, exploration: Exploration) -> Illustration:
    """Distances against their law, and between real visits."""
    sampled = sample_distances(subject.model, _percepts(subject.walks, _CENTERS), subject.seed)
    visits = measure_visits(subject.model, exploration, subject.generator())
    return Illustration(
        "distances",
        "Distances: is the learned scale the one that the data have?",
        draw_distances(sampled, visits),
        describe_distances(sampled, visits),
        [*sampled.tables(), *visits.tables()],
    )


def illustrate_accuracy(exploration: Exploration) -> Illustration:
    """Accuracy beside the agents."""
    data = break_down_accuracy(exploration)
    return Illustration(
        "accuracy",
        "Accuracy: where inference beats memory",
        draw_accuracy(data),
        describe_accuracy(data),
        data.tables(),
    )


def illustrate_novelty(exploration: Exploration) -> Illustration:
    """The null weight on first visits and revisits."""
    data = measure_novelty(exploration)
    return Illustration(
        "novelty", "Novelty: is this place new?", draw_novelty(data), describe_novelty(data), data.tables()
    )


def illustrate_training(history: TrainingHistory) -> Illustration:
    """The course of training."""
    return Illustration(
        "training",
        "Training: when path integration locked in",
        draw_training(history),
        describe_training(history),
        history.tables(),
    )


def _percepts(walks: Walks, number: int) -> Tensor:
    return walks.percepts.flatten(0, 1)[:number]
