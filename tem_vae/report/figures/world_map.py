"""A world in location codes: the mean code of every place, in two dimensions."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data import Walks
from tem_vae.model import TemVae
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    ORDER_MAP,
    WIDTH,
    count,
    per_cent,
    sentence_figure,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table, flatten_array

TOO_FEW_PLACES = "The walk saw fewer than three places: there is no map to show."


def illustrate_world_map(subject: Subject) -> Illustration:
    """The codes of a world in two dimensions."""
    data = measure_world_map(subject.model, subject.shown_walk)
    return Illustration(
        "world_map",
        "A world in location codes",
        draw_world_map(data),
        describe_world_map(data),
        data.tables() if data else [],
    )


@dataclass(frozen=True)
class WorldMap:
    """The mean location code of every place, seen along its two main directions.

    Attributes:
        positions: Of the places, in link lengths, (places, 2).
        coordinates: Principal components of the codes, (places, 2).
        links: Pairs of places between which the walk moved, (links, 2).
        explained: Share of the variance along each of the two directions, (2,).
    """

    positions: FloatArray
    coordinates: FloatArray
    links: IntArray
    explained: FloatArray

    def tables(self) -> list[Table]:
        """Every place, and every link."""
        return [
            Table(
                "location_codes_pca",
                {
                    "x (links)": self.positions[:, 0],
                    "y (links)": self.positions[:, 1],
                    "first component": self.coordinates[:, 0],
                    "second component": self.coordinates[:, 1],
                },
            ),
            flatten_array("location_codes_links", self.links, ("link", "end"), "row of location_codes_pca"),
        ]


@torch.no_grad()
def measure_world_map(model: TemVae, walk: Walks) -> WorldMap | None:
    """Average the location codes of each place of a walk and find their main directions.

    Returns:
        The map; None if the walk saw fewer than three places, which always lie on a line.
    """
    codes = model.integrator(walk.actions)[0].double().numpy()
    places, first, inverse = np.unique(
        walk.known("places")[0].numpy(), return_index=True, return_inverse=True
    )
    if len(places) < 3:
        return None
    sums = np.zeros((len(places), codes.shape[1]))
    np.add.at(sums, inverse, codes)
    means = sums / np.bincount(inverse)[:, None]
    U, sigma, _ = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    ends = np.sort(np.column_stack([inverse[:-1], inverse[1:]]), axis=1)
    links = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    explained = sigma[:2] ** 2 / max(float((sigma**2).sum()), np.finfo(float).tiny)
    positions = walk.known("positions")[0].double().numpy()[first]
    return WorldMap(positions, (U * sigma)[:, :2], links, explained)


@styled
def draw_world_map(data: WorldMap | None) -> Figure:
    """Principal components of the places' codes, colored by column and by row."""
    if data is None:
        return sentence_figure(TOO_FEW_PLACES)
    figure = Figure(figsize=(WIDTH, 4.6))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for axes, axis, name in zip(panels, (0, 1), ("x", "y"), strict=True):
        segments = data.coordinates[data.links]
        axes.add_collection(LineCollection(list(segments), colors="#cccccc", linewidths=0.7, zorder=1))
        points = axes.scatter(
            x=data.coordinates[:, 0],
            y=data.coordinates[:, 1],
            c=data.positions[:, axis],
            cmap=ORDER_MAP,
            s=28,
            zorder=2,
            edgecolors="white",
            linewidths=0.4,
        )
        figure.colorbar(points, ax=axes, location="bottom", label=f"color: {name} of the place (links)")
        axes.set_xlabel("first component")
    panels[0].set_ylabel("second component")
    return figure


def describe_world_map(data: WorldMap | None) -> str:
    """The caption."""
    if data is None:
        return TOO_FEW_PLACES
    first, second = data.explained
    return (
        f"Mean location codes of {count(len(data.positions), 'place')} of one world along their two main "
        f"directions, which hold {per_cent(first)} and {per_cent(second)} of the variance; lines: links "
        "walked. A torus with many frequencies spreads the variance over many directions, so two show a part "
        "only."
    )
