"""Figure: distances in sampled neighborhoods against their law, and between real visits."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.measurements.distances import SampledDistances, VisitDistances
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    count,
    enumerate_words,
    say,
    styled,
)

_NO_REVISIT = "No place was visited twice, so there is no pair of visits to compare."
_GROUP_LINES = ((BLUE, "-"), (ORANGE, "--"), (GREY, "-."))


@styled
def draw_distances(sampled: SampledDistances, visits: VisitDistances) -> Figure:
    """Samples against their law on the left, pairs of real visits on the right."""
    figure = Figure(figsize=(WIDTH, 3.3))
    left, right = figure.subplots(1, 2)
    _draw_samples(left, sampled)
    if len(visits.same_place):
        _draw_visits(right, visits)
    else:
        say(right, _NO_REVISIT)
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
