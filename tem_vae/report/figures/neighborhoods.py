"""Neighborhoods: decoded at growing scale, and the nearest real percepts in two distances."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data import PerceptSource
from tem_vae.data.source import FloatPercepts, Split
from tem_vae.geometry import Neighborhood
from tem_vae.model import TemVae
from tem_vae.report.appearance import Appearance
from tem_vae.report.illustration import Illustration
from tem_vae.report.style import WIDTH, count, per_cent, show_picture, styled
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.seeding import seeded

_SHOWN_REFERENCES = 4
_QUERIES = 300
_POOL = 2000
SCALES = (0.5, 1.0, 2.0, 4.0)  # in units of eps_q
_NEIGHBORS = 4
_GAP = 0.25  # of a picture's width


def illustrate_neighborhoods(subject: Subject) -> Illustration:
    """What a neighborhood holds and what the metric ignores."""
    source, rng = subject.percept_source, subject.generator()
    queries = _draw_percepts(source, subject.source.split, _QUERIES, rng)
    pool = _draw_percepts(source, "train", _POOL, rng)
    data = measure_neighborhoods(subject.model, queries, pool, _SHOWN_REFERENCES, subject.seed)
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


@dataclass(frozen=True)
class Neighbors:
    """The nearest real percepts of every query in one distance.

    Attributes:
        indices: Into the pool, nearest first, (queries, neighbors).
        distances: To them, (queries, neighbors).
        same_class: Share of the neighbors that have the class of their query.
    """

    indices: IntArray
    distances: FloatArray
    same_class: float


@dataclass(frozen=True)
class NeighborhoodSamples:
    """Reference percepts with what their neighborhoods hold and what lies near them.

    Attributes:
        references: One of each class as far as they go, (rows, *percept_shape).
        reference_classes: Their classes, (rows,).
        reconstructions: Of the references, (rows, *percept_shape).
        scales: Of the samples, in units of eps_q, (scales,).
        samples: Decoded samples, the same noise at every scale, (rows, scales, *percept_shape).
        pool: Real percepts to be neighbors, (pool, *percept_shape).
        pool_classes: Their classes, (pool,).
        by_metric: Neighbors of the references in d_E.
        by_features: Neighbors of the references in the Euclidean distance of percepts.
        unit_scale: eps_q.
    """

    references: FloatPercepts
    reference_classes: IntArray
    reconstructions: FloatPercepts
    scales: tuple[float, ...]
    samples: FloatPercepts
    pool: FloatPercepts
    pool_classes: IntArray
    by_metric: Neighbors
    by_features: Neighbors
    unit_scale: float

    def tables(self) -> list[Table]:
        """Decoded samples feature by feature, and the neighbors."""
        values = self.samples.reshape(*self.samples.shape[:2], -1)
        row, scale, feature = (a.ravel() for a in np.indices(values.shape))
        samples = {
            "reference": row,
            "class": self.reference_classes[row],
            "scale (eps_q)": np.array(self.scales)[scale],
            "feature": feature,
            "value (standardised)": values.ravel(),
        }
        return [Table("neighborhood_samples", samples), self._neighbor_table()]

    def _neighbor_table(self) -> Table:
        row, order = (a.ravel() for a in np.indices(self.by_metric.indices.shape))
        columns: dict[str, FloatArray | IntArray] = {
            "reference": row,
            "class": self.reference_classes[row],
            "neighbor": order + 1,
        }
        for name, neighbors in (("d_E", self.by_metric), ("feature distance", self.by_features)):
            columns[f"class nearest in {name}"] = self.pool_classes[neighbors.indices].ravel()
            columns[name] = neighbors.distances.ravel()
        return Table("nearest_percepts", columns)


@torch.no_grad()
def measure_neighborhoods(
    model: TemVae,
    queries: tuple[Tensor, Tensor],
    pool: tuple[Tensor, Tensor],
    rows: int,
    generator_seed: int,
) -> NeighborhoodSamples:
    """Decode samples around a few percepts and look for their nearest real neighbors.

    Args:
        model: The model.
        queries: Percepts (n, *percept_shape) and classes (n,); the first of each class are shown.
        pool: Percepts and classes among which neighbors are sought, other than the queries.
        rows: How many references are shown at most.
        generator_seed: Decides the samples; the global generator is left as it was.
    """
    shown = torch.from_numpy(np.unique(queries[1].numpy(), return_index=True)[1][:rows])
    references = queries[0][shown]
    codes, pool_codes = model.encode(queries[0])[0], model.encode(pool[0])[0]
    by_metric = find_neighbors(model.metric.pairwise_distance(codes, pool_codes), queries[1], pool[1])
    by_features = find_neighbors(torch.cdist(queries[0].flatten(1), pool[0].flatten(1)), queries[1], pool[1])
    return NeighborhoodSamples(
        references=references.numpy(),
        reference_classes=queries[1][shown].numpy(),
        reconstructions=model.reconstruct(references).float().numpy(),
        scales=SCALES,
        samples=_decode_samples(model, codes[shown], generator_seed).float().numpy(),
        pool=pool[0].numpy(),
        pool_classes=pool[1].numpy(),
        by_metric=_select(by_metric, shown),
        by_features=_select(by_features, shown),
        unit_scale=model.scale,
    )


def find_neighbors(distances: Tensor, query_classes: Tensor, pool_classes: Tensor) -> Neighbors:
    """The nearest of a pool for every query, from distances of shape (queries, pool)."""
    nearest = distances.topk(min(_NEIGHBORS, distances.shape[1]), largest=False)
    same = pool_classes[nearest.indices] == query_classes[:, None]
    return Neighbors(nearest.indices.numpy(), nearest.values.double().numpy(), float(same.double().mean()))


def _select(neighbors: Neighbors, rows: Tensor) -> Neighbors:
    return Neighbors(neighbors.indices[rows.numpy()], neighbors.distances[rows.numpy()], neighbors.same_class)


def _decode_samples(model: TemVae, codes: Tensor, generator_seed: int) -> Tensor:
    """Samples with the same noise at every scale, (rows, scales, *percept_shape)."""
    factorization = model.metric.factorize()
    with seeded(generator_seed):
        z = Neighborhood(codes, model.scale, factorization).rsample()
    displacements = (z - codes).unsqueeze(1) * torch.tensor(SCALES)[:, None]
    return model.decode(model.embed(codes.unsqueeze(1) + displacements, factorization.embedding))


@styled
def draw_neighborhoods(data: NeighborhoodSamples, appearance: Appearance) -> Figure:
    """A row for each reference percept."""
    rows, neighbors = data.by_metric.indices.shape
    groups = {
        "Percept": 1,
        f"Decoded at scale (eps_q = {data.unit_scale:g})": 1 + len(data.scales),
        "Nearest in d_E": neighbors,
        "Nearest by features": neighbors,
    }
    figure = Figure(figsize=(WIDTH, 0.55 + 0.5 * rows))
    # Laid out by hand: so many axes would take matplotlib seconds.
    figure.set_layout_engine("none")
    reference, decoded, by_metric, by_features = _split_columns(figure, rows, groups)
    for row in range(rows):
        _show_row(reference[row], [data.references[row]], appearance)
        reference[row, 0].set_ylabel(str(data.reference_classes[row]), rotation=0, ha="right", va="center")
        _show_row(decoded[row], [data.reconstructions[row], *data.samples[row]], appearance)
        _show_neighbors(by_metric[row], data, data.by_metric, row, appearance)
        _show_neighbors(by_features[row], data, data.by_features, row, appearance)
    for axes, scale in zip(decoded[-1], (0.0, *data.scales), strict=True):
        axes.set_xlabel(f"{scale:g}", fontsize=8)
    return figure


def _split_columns(figure: Figure, rows: int, groups: dict[str, int]) -> list[npt.NDArray[np.object_]]:
    """A grid of axes for each group of columns, with its title above and a gap between groups."""
    widths = [width for size in groups.values() for width in [*[1.0] * size, _GAP]][:-1]
    margin = 0.3 / figure.get_figheight()
    frame = {
        "left": 0.03,
        "right": 0.995,
        "bottom": margin,
        "top": 1 - margin,
        "wspace": 0.12,
        "hspace": 0.12,
    }
    grid = figure.subplots(rows, len(widths), squeeze=False, width_ratios=widths, gridspec_kw=frame)
    for gap in grid[:, [i for i, width in enumerate(widths) if width == _GAP]].flat:
        gap.remove()
    parts, first = [], 0
    for title, size in groups.items():
        part = grid[:, first : first + size]
        middle = part[0, size // 2]
        middle.set_title(title, fontsize=8.5, loc="center", x=0.5 if size % 2 else -0.1)
        parts.append(part)
        first += size + 1
    return parts


def _show_row(cells: npt.NDArray[np.object_], percepts: list[FloatPercepts], appearance: Appearance) -> None:
    for axes, percept in zip(cells, percepts, strict=True):
        show_picture(axes, appearance.picture(percept), appearance.value_range)


def _show_neighbors(
    cells: npt.NDArray[np.object_],
    data: NeighborhoodSamples,
    neighbors: Neighbors,
    row: int,
    appearance: Appearance,
) -> None:
    indices = neighbors.indices[row]
    _show_row(cells, list(data.pool[indices]), appearance)
    for axes, label in zip(cells, data.pool_classes[indices], strict=True):
        _name_class(axes, int(label), other=label != data.reference_classes[row])


def _name_class(axes: Axes, label: int, other: bool) -> None:
    """The class in a corner, on white; one that is not the reference's stands in a box."""
    edge = "#D55E00" if other else "none"
    box = {"facecolor": "white", "edgecolor": edge, "pad": 1.2, "linewidth": 1.0}
    axes.text(
        0.96, 0.05, str(label), transform=axes.transAxes, ha="right", va="bottom", fontsize=6.5, bbox=box,
        color="#D55E00" if other else "#0072B2",
    )  # fmt: skip


def describe_neighborhoods(data: NeighborhoodSamples, appearance: Appearance) -> str:
    """The caption."""
    shape = "" if appearance.is_image else " A percept is shown as a grid of its features in reading order."
    return (
        "Each row: a held-out percept and its class, its own reconstruction (scale 0) and a sample of its "
        "neighborhood at growing scale, in units of eps_q, with the same noise u throughout; then the real "
        f"percepts nearest to it among {count(len(data.pool), 'other')}, with their classes, boxed where it "
        "is not the row's. Over all queries the neighbors share the class in "
        f"{per_cent(data.by_metric.same_class)} of cases by d_E and {per_cent(data.by_features.same_class)} "
        f"by the Euclidean distance of features: the difference is what the metric ignores.{shape}"
    )
