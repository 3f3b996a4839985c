"""Distances of samples against their law, and between real visits against the learned scales."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats
from torch import Tensor

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.geometry import Neighborhood
from tem_vae.model import TemVae
from tem_vae.report.exploration import Exploration
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    count,
    enumerate_words,
    show_sentence,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.seeding import seeded

_CENTERS = 2000
_SAMPLES = 20_000
_PAIRS = 400_000
_NO_REVISIT = "No place was visited twice, so there is no pair of visits to compare."
_GROUP_LINES = ((BLUE, "-"), (ORANGE, "--"), (GREY, "-."))


def illustrate_distances(subject: Subject) -> Illustration:
    """Distances against their law, and between real visits."""
    sampled = measure_samples(subject.model, subject.percepts(_CENTERS), subject.seed)
    visits = measure_visits(subject.model, subject.exploration, subject.generator())
    return Illustration(
        "distances",
        "Distances: is the learned scale the one that the data have?",
        draw_distances(sampled, visits),
        describe_distances(sampled, visits),
        [*sampled.tables(), *visits.tables()],
    )


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
        """Density of the gamma law with this variance: chi²_M/M where S ∝ I, else an approximation."""
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
def measure_samples(model: TemVae, percepts: Tensor, generator_seed: int) -> SampledDistances:
    """Sample posterior neighborhoods and measure how far the samples lie from their centers.

    Args:
        model: The model.
        percepts: Whose codes are the centers, (n, *percept_shape).
        generator_seed: Decides the samples; the global generator is left as it was.
    """
    factorization = model.metric.factorize()
    codes = model.encode(percepts)[0]
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


@styled
def draw_distances(sampled: SampledDistances, visits: VisitDistances) -> Figure:
    """Samples against their law on the left, pairs of real visits on the right."""
    figure = Figure(figsize=(WIDTH, 3.3))
    left, right = figure.subplots(1, 2)
    _draw_samples(left, sampled)
    if len(visits.same_place):
        _draw_visits(right, visits)
    else:
        show_sentence(right, _NO_REVISIT)
    return figure


def _draw_samples(axes: Axes, data: SampledDistances) -> None:
    edges = np.linspace(0, np.quantile(data.squared, 0.999), 60)
    axes.hist(data.squared, edges.tolist(), density=True, color=BLUE, alpha=0.45, label="samples")
    # From half a bin on: for M = 1 the density has no bound at 0.
    middle = np.linspace(edges[1] / 2, edges[-1], 400)
    axes.plot(middle, data.density(middle), color=BLACK, label="law")
    axes.set(xlabel="squared distance from the center, d_E²/eps²", ylabel="density")
    axes.set_title("Sampled neighborhoods")
    axes.legend()


def _draw_visits(axes: Axes, data: VisitDistances) -> None:
    groups = {name: values for name, values in data.groups().items() if len(values)}
    edges = np.linspace(0, np.quantile(np.concatenate(list(groups.values())), 0.999), 50)
    for (name, values), (color, linestyle) in zip(groups.items(), _GROUP_LINES, strict=False):
        axes.hist(
            values,
            edges.tolist(),
            density=True,
            histtype="step",
            label=name,
            color=color,
            linestyle=linestyle,
            lw=1.5,
        )
    axes.axvline(data.posterior_scale, color=GREEN, linewidth=1, linestyle=":", label="eps_q")
    axes.axvline(data.memory_scale, color=BLACK, linewidth=1, label="eps_m, learned")
    if data.fitting_scale is not None:
        axes.axvline(data.fitting_scale, color=BLACK, linewidth=1, linestyle="--", label="eps_m, called for")
    axes.set(xlabel="whitened distance ‖w − w'‖/√M", ylabel="density")
    axes.set_title("Pairs of real visits")
    axes.set_ylim(top=1.5 * axes.get_ylim()[1])
    axes.legend(fontsize=7.5, ncols=2, loc="upper right")


def describe_distances(sampled: SampledDistances, visits: VisitDistances) -> str:
    """The caption."""
    left = (
        f"Left: {count(len(sampled.squared), 'sample')} of posterior neighborhoods, pseudodistance d_E to "
        f"the center: mean {sampled.squared.mean():.3f} (law: 1), standard deviation "
        f"{sampled.squared.std():.3f} (law: {sampled.variance**0.5:.3f}); the distribution functions differ "
        "by at most "
        f"{sampled.deviation:.3f}. The law is chi²/M with M = {sampled.rank} where S is a multiple of I, "
        "else the gamma law of the same two moments."
    )
    if visits.fitting_scale is None:
        return f"{left} Right: {_NO_REVISIT}"
    pairs = [f"{len(values):,} of {name}" for name, values in visits.groups().items() if len(values)]
    return (
        f"{left} Right: random pairs of visits within each of {count(visits.walks, 'walk')} "
        f"({enumerate_words(pairs)}). w is the whitened code of a visit, S⁻¹Ec calibrated; at 0, both visits "
        "showed the same image. Two visits to a place call for a memory scale of eps_m = "
        f"{visits.fitting_scale:.2f} (eps_q and the distance of the codes, squared and added); learned: "
        f"{visits.memory_scale:.2f}, with eps_q = {visits.posterior_scale:.2f}."
    )
