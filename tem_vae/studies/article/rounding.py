"""The published log-determinant in float32 over many seeds, against what it should be."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.geometry import factorize
from tem_vae.seeding import seeded
from tem_vae.studies.article import published
from tem_vae.studies.article.dense import published_log_volume_from_gram
from tem_vae.studies.article.formulas import uniform_embedding
from tem_vae.studies.article.printed import TAU


@dataclass(frozen=True)
class RoundingStudy:
    """Log-volumes in nats of the map from z to u, one E a seed.

    Attributes:
        published: by the article's function, in float32; NaN where it returns that, (seeds).
        published_exact: the same formula in float64, (seeds).
        true: by the corrected formula, (seeds).
    """

    published: Tensor
    published_exact: Tensor
    true: Tensor

    @property
    def nan_count(self) -> int:
        """For how many seeds the article's function returns NaN."""
        return int(self.published.isnan().sum())


def study_rounding(seeds: int) -> RoundingStudy:
    """Compute the article's log-determinant for E uniform in [-1, 1] from seeds 0, 1, ..."""
    embeddings = list(_embeddings(seeds))
    return RoundingStudy(
        torch.stack([published.rank_deficient_logdet(E, TAU) for E in embeddings]),
        torch.tensor([published_log_volume_from_gram(E, TAU) for E in embeddings]),
        torch.tensor([-factorize(E, TAU).log_volume.item() for E in embeddings]),
    )


def _embeddings(seeds: int) -> Iterator[Tensor]:
    for seed in range(seeds):
        with seeded(seed):
            yield uniform_embedding()
