"""Distances: of sampled neighborhoods against their law, and of real visits against the learned scales."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.geometry import Neighborhood
from tem_vae.model import TemVae
from tem_vae.report.exploration import Exploration
from tem_vae.report.table import BoolArray, Table
from tem_vae.seeding import seeded

_SAMPLES = 20_000
_PAIRS = 400_000


@dataclass(frozen=True)
class SampledDistances:
    """Squared pseudodistances of neighborhood samples from their centers, in units of the squared scale.

    Attributes:
        squared: d_E²/eps², (samples,).
        variance: What the law says of their variance, 2 tr S⁴/(tr S²)²; the mean is 1.
        rank: M.
        deviation: Largest gap between their distribution function and that of the law.
    """

    squared: FloatArray
    variance: float
    rank: int
    deviation: float

    def tables(self) -> list[Table]:
        """Every sample."""
        return [Table("distances_sampled", {"squared distance (eps^2)": self.squared})]

    def density(self, squared: FloatArray) -> FloatArray:
        """Of the gamma law of mean 1 and that variance: chi²_M/M where S ∝ I, else an approximation."""
        density: FloatArray = stats.gamma.pdf(squared, 1 / self.variance, scale=self.variance)
        return density


@dataclass(frozen=True)
class VisitDistances:
    """Whitened distances ‖w(c) − w(c')‖/√M between two visits of a walk, in units of the pseudometric.

    Attributes:
        same_place: Two visits to one place, (pairs,).
        same_class: Visits to two places that hold the same class, (pairs,).
        other_class: Visits to two places that hold different classes, (pairs,).
        posterior_scale: eps_q.
        memory_scale: eps_m, as learned.
        fitting_scale: The memory scale that two visits to a place call for; None without such a pair.
        walks: How many walks the pairs are from.
    """

    same_place: FloatArray
    same_class: FloatArray
    other_class: FloatArray
    posterior_scale: float
    memory_scale: float
    fitting_scale: float | None
    walks: int

    def groups(self) -> dict[str, FloatArray]:
        """The distances by what the pairs have in common."""
        return {
            "same place": self.same_place,
            "other place, same class": self.same_class,
            "other class": self.other_class,
        }

    def tables(self) -> list[Table]:
        """Every pair, as they were drawn."""
        return [
            Table(f"distances_{name.replace(', ', '_').replace(' ', '_')}", {"whitened distance": values})
            for name, values in self.groups().items()
        ]


@torch.no_grad()
def sample_distances(model: TemVae, percepts: Tensor, generator_seed: int) -> SampledDistances:
    """Sample posterior neighborhoods and measure how far the samples lie from their centers.

    Args:
        model: The model.
        percepts: Whose codes are the centers, (n, percept_dim).
        generator_seed: Decides the samples; the global generator is left as it was.
    """
    factorization = model.metric.factorize()
    codes = model.encoder(percepts)
    with seeded(generator_seed):
        centers = codes[torch.randint(len(codes), (_SAMPLES,))]
        z = Neighborhood(centers, model.scale, factorization).rsample()
    squared = model.metric.distance(z, centers, squared=True).double().numpy() / model.scale**2
    power = factorization.shrinkage.double() @ factorization.shrinkage.double().mT
    variance = float(2 * power.square().sum() / power.trace() ** 2)
    deviation = float(stats.kstest(squared, "gamma", args=(1 / variance, 0, variance)).statistic)
    return SampledDistances(squared, variance, factorization.rank, deviation)


@torch.no_grad()
def measure_visits(model: TemVae, exploration: Exploration, rng: np.random.Generator) -> VisitDistances:
    r"""Whitened distances between random pairs of visits, at most 400,000 pairs in all.

    A code z_t = c_t + noise at scale eps_q should look like a draw from the neighborhood of the memory c_s at
    scale eps_m. In whitened coordinates that calls for

    .. math:: \epsilon_m^2 = \epsilon_q^2 + \langle \lVert w(c_t) - w(c_s)\rVert^2 \rangle / M
    """
    walks = exploration.walks
    arrivals = exploration.kinds.move.clone()
    arrivals[:, 0] = True
    walk, first, second = draw_pairs(arrivals.numpy(), rng)
    whitened = exploration.whitened.double().numpy()
    difference = whitened[walk, first] - whitened[walk, second]
    squared = np.square(difference).mean(axis=-1)
    places, classes = walks.known("places").numpy(), walks.known("classes").numpy()
    same_place = places[walk, first] == places[walk, second]
    same_class = classes[walk, first] == classes[walk, second]
    fitting = float(np.sqrt(squared[same_place].mean() + model.scale**2)) if same_place.any() else None
    distance = np.sqrt(squared)
    return VisitDistances(
        same_place=distance[same_place],
        same_class=distance[same_class & ~same_place],
        other_class=distance[~same_class],
        posterior_scale=model.scale,
        memory_scale=exploration.memory_scale,
        fitting_scale=fitting,
        walks=len(arrivals),
    )


def draw_pairs(arrivals: BoolArray, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Walk, earlier step and later step of random pairs of arrivals, each (pairs,), none with itself.

    Args:
        arrivals: Steps that begin a visit, (walks, time).
        rng: Source of the draws.
    """
    per_walk = _PAIRS // len(arrivals) + 1
    parts = []
    for walk, row in enumerate(arrivals):
        steps = np.flatnonzero(row)
        drawn = np.sort(rng.choice(steps, size=(per_walk, 2)), axis=1)
        drawn = np.unique(drawn[drawn[:, 0] < drawn[:, 1]], axis=0)
        parts.append(np.column_stack([np.full(len(drawn), walk), drawn]))
    pairs = np.concatenate(parts)
    return pairs[:, 0], pairs[:, 1], pairs[:, 2]
