"""Accuracy on revisits by visit number, time and links walked, beside the two agents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.data import UnknownTruthError
from tem_vae.report.exploration import Exploration
from tem_vae.report.illustration import Illustration
from tem_vae.report.intervals import Shares, clustered_shares
from tem_vae.report.style import (
    PREDICTORS,
    WIDTH,
    count,
    frame_percent,
    sentence_figure,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.scores.baselines import edge_agent, node_agent

_VISIT_EDGES = np.array([2, 3, 4, 5, 7, 10, 15, 25, 50, np.inf])
_AGE_EDGES = np.array([1, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, np.inf])
_LINK_EDGES = np.linspace(0, 1, 11)
_NOTHING = "No place was revisited on these walks, so there is no prediction to score."


def illustrate_accuracy(subject: Subject) -> Illustration:
    """Accuracy of the model and of the two agents."""
    data = measure_accuracy(subject.exploration)
    return Illustration(
        "accuracy",
        "Accuracy: where inference beats memory",
        draw_accuracy(data),
        describe_accuracy(data),
        data.tables(),
    )


class Experience(NamedTuple):
    """What the walker experienced before every step of the walks, each (walks, time).

    Attributes:
        visit: Which visit to its place the step belongs to, from 1; staying begins no new visit.
        age: Walk steps since the place was last occupied; 0 where it never was.
        links: The share of the links that the walk ever walks which were walked before the step.
    """

    visit: IntArray
    age: IntArray
    links: FloatArray


@dataclass(frozen=True)
class Breakdown:
    """Accuracy on revisits in bins of one quantity.

    Attributes:
        quantity: Name and unit of the quantity.
        low: Smallest value of each bin, (bins,).
        mean: Mean of the quantity over the moves in each bin, (bins,).
        moves: Moves in each bin, (bins,).
        shares: Accuracies by predictor.
    """

    quantity: str
    low: FloatArray
    mean: FloatArray
    moves: IntArray
    shares: Mapping[str, Shares]

    def table(self, name: str) -> Table:
        """Every bin and predictor."""
        columns = {
            f"{self.quantity}, from": self.low,
            f"{self.quantity}, mean": self.mean,
            "moves": self.moves,
        }
        for predictor, shares in self.shares.items():
            for part, values in shares._asdict().items():
                columns[f"{predictor} accuracy, {part}"] = values
        return Table(name, columns)


@dataclass(frozen=True)
class AccuracyBreakdown:
    """Accuracy on revisits by visit number, by time and by how much of the world is known.

    Attributes:
        by_visit: By visit number.
        by_age: By steps since the last visit.
        by_links: By the share of links walked.
        walks: How many walks were scored.
        moves: How many revisits.
    """

    by_visit: Breakdown
    by_age: Breakdown
    by_links: Breakdown
    walks: int
    moves: int

    def tables(self) -> list[Table]:
        """One table a breakdown."""
        return [
            self.by_visit.table("accuracy_by_visit"),
            self.by_age.table("accuracy_by_steps_since_visit"),
            self.by_links.table("accuracy_by_links_walked"),
        ]


def measure_accuracy(exploration: Exploration) -> AccuracyBreakdown:
    """Score the model's memory and the two agents on every revisit.

    Raises:
        UnknownTruthError: Places or classes are not known.
    """
    walks, kinds, n_classes = exploration.walks, exploration.kinds, exploration.n_classes
    classes = walks.known("classes")
    if exploration.remembered is None or n_classes is None:
        raise UnknownTruthError("needs the number of classes, which the source of these walks does not know")
    predicted = {
        "TEM VAE": exploration.remembered,
        "node agent": node_agent(classes, kinds, n_classes),
        "edge agent": edge_agent(classes, kinds, n_classes),
    }
    correct = {name: (guess == classes).numpy() for name, guess in predicted.items()}
    revisit = kinds.revisit.numpy()
    experience = recall_experience(walks.known("places").numpy(), walks.mask.numpy())
    return AccuracyBreakdown(
        bin_accuracy("visit number", experience.visit, _VISIT_EDGES, revisit, correct),
        bin_accuracy("steps since last visit", experience.age, _AGE_EDGES, revisit, correct),
        bin_accuracy("share of links walked", experience.links, _LINK_EDGES, revisit, correct),
        walks=len(revisit),
        moves=int(revisit.sum()),
    )


def bin_accuracy(
    quantity: str,
    values: FloatArray | IntArray,
    edges: FloatArray,
    scored: BoolArray,
    correct: Mapping[str, BoolArray],
) -> Breakdown:
    """Accuracies of scored steps in bins of a quantity; bins without a step are left out.

    Args:
        quantity: Its name and unit.
        values: Of the quantity, (walks, time).
        edges: Of the bins, each closed below; the last value belongs to the last bin.
        scored: The steps that count, (walks, time).
        correct: Whether each predictor was right, (walks, time).
    """
    walks, bins = len(values), len(edges) - 1
    walk, step = np.nonzero(scored)
    index = np.minimum(np.digitize(values[walk, step], edges) - 1, bins - 1)

    def total(weights: FloatArray) -> FloatArray:
        sums = np.zeros((walks, bins))
        np.add.at(sums, (walk, index), weights)
        return sums

    trials = total(np.ones(len(walk)))
    filled = trials.sum(axis=0) > 0
    moves = trials.sum(axis=0)[filled]
    shares = {
        name: clustered_shares(total(right[walk, step].astype(float))[:, filled], trials[:, filled])
        for name, right in correct.items()
    }
    mean = total(values[walk, step].astype(float)).sum(axis=0)[filled] / moves
    return Breakdown(quantity, edges[:-1][filled], mean, moves.astype(np.int64), shares)


def recall_experience(places: IntArray, mask: BoolArray) -> Experience:
    """Visits, ages and links walked before every step; zero where a walk is padded.

    Args:
        places: The place of every step, (walks, time).
        mask: False at padded steps, (walks, time).
    """
    visit, age = np.zeros_like(places), np.zeros_like(places)
    links = np.zeros(places.shape)
    for walk, steps in enumerate(mask.sum(axis=1)):
        recalled = _recall_walk(places[walk, :steps].tolist())
        visit[walk, :steps], age[walk, :steps], links[walk, :steps] = recalled
    return Experience(visit, age, links)


def _recall_walk(places: list[int]) -> tuple[list[int], list[int], list[float]]:
    visits: dict[int, int] = {}
    last: dict[int, int] = {}
    links: set[frozenset[int]] = set()
    visit, age, walked = [], [], []
    previous = -1
    for step, place in enumerate(places):
        if place != previous:
            visits[place] = visits.get(place, 0) + 1
        visit.append(visits[place])
        age.append(step - last.get(place, step))
        walked.append(len(links))
        if step and place != previous:
            links.add(frozenset((previous, place)))
        last[place] = step
        previous = place
    return visit, age, [count / max(len(links), 1) for count in walked]


@styled
def draw_accuracy(data: AccuracyBreakdown) -> Figure:
    """Accuracy on revisits in three breakdowns."""
    if not data.moves:
        return sentence_figure(_NOTHING)
    figure = Figure(figsize=(WIDTH, 3.1))
    panels = figure.subplots(1, 3, sharey=True)
    for axes, breakdown in zip(panels, (data.by_visit, data.by_age, data.by_links), strict=True):
        _draw_breakdown(axes, breakdown)
    for axes in panels[:2]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if axes is panels[0] else (1, 3)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.minorticks_off()
    panels[2].set_xlim(-0.03, 1.03)
    panels[0].set_ylabel("revisits predicted (%)")
    frame_percent(panels[0])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _draw_breakdown(axes: Axes, breakdown: Breakdown) -> None:
    for name, line in PREDICTORS.items():
        shares = breakdown.shares[name]
        below, above = shares.value - shares.low, shares.high - shares.value
        axes.errorbar(
            breakdown.mean,
            shares.value,
            yerr=np.maximum([below, above], 0),
            label=name,
            color=line.color,
            linestyle=line.linestyle,
            marker=line.marker,
            markersize=4,
            capsize=2,
            elinewidth=0.8,
        )
    axes.set_xlabel(breakdown.quantity)


def describe_accuracy(data: AccuracyBreakdown) -> str:
    """The caption."""
    if not data.moves:
        return _NOTHING
    return (
        f"Share of {count(data.moves, 'revisit')} on {count(data.walks, 'walk')} whose percept class was "
        "predicted from memory before it was seen, in bins drawn at their means. The node agent remembers "
        "every place, the edge agent only links that it walked: where the model is above the edge agent, "
        "inference beats memory. The share of links is that of all links that the walk ever walks. Bars: 95 "
        "% Wilson intervals; moves of one walk, being alike, count for fewer (design effect)."
    )
