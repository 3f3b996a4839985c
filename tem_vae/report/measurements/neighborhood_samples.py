"""What a neighborhood looks like, and what the metric ignores."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data.percepts import FloatPercepts
from tem_vae.geometry import Neighborhood
from tem_vae.model import TemVae
from tem_vae.report.table import Table
from tem_vae.seeding import seeded

SCALES = (0.5, 1.0, 2.0, 4.0)  # in units of eps_q
_NEIGHBORS = 4


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
        references: One of each class as far as they go, (rows, percept_dim).
        reference_classes: Their classes, (rows,).
        reconstructions: Of the references, (rows, percept_dim).
        scales: Of the samples, in units of eps_q, (scales,).
        samples: Decoded samples, the same noise at every scale, (rows, scales, percept_dim).
        pool: Real percepts to be neighbors, (pool, percept_dim).
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
        row, scale, feature = (a.ravel() for a in np.indices(self.samples.shape))
        samples = {
            "reference": row,
            "class": self.reference_classes[row],
            "scale (eps_q)": np.array(self.scales)[scale],
            "feature": feature,
            "value (standardised)": self.samples.ravel(),
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
def sample_neighborhoods(
    model: TemVae,
    queries: tuple[Tensor, Tensor],
    pool: tuple[Tensor, Tensor],
    rows: int,
    generator_seed: int,
) -> NeighborhoodSamples:
    """Decode samples around a few percepts and look for their nearest real neighbors.

    Args:
        model: The model.
        queries: Percepts (n, percept_dim) and classes (n,); the first of each class are shown.
        pool: Percepts and classes among which neighbors are sought, other than the queries.
        rows: How many references are shown at most.
        generator_seed: Decides the samples; the global generator is left as it was.
    """
    shown = torch.from_numpy(np.unique(queries[1].numpy(), return_index=True)[1][:rows])
    references = queries[0][shown]
    codes, pool_codes = model.encoder(queries[0]), model.encoder(pool[0])
    by_metric = find_neighbors(model.metric.pairwise_distance(codes, pool_codes), queries[1], pool[1])
    by_features = find_neighbors(torch.cdist(queries[0], pool[0]), queries[1], pool[1])
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
    """Samples with the same noise at every scale, (rows, scales, percept_dim)."""
    factorization = model.metric.factorize()
    with seeded(generator_seed):
        z = Neighborhood(codes, model.scale, factorization).rsample()
    displacements = (z - codes).unsqueeze(1) * torch.tensor(SCALES)[:, None]
    return model.decoder(model.embed(codes.unsqueeze(1) + displacements, factorization.embedding))
