"""The published log-determinant in float32 for many seeds, compared with the true one."""

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
    """Log-volumes in nats of the map from z to u, for one E per seed.

    Attributes:
        published: The article's function, in float32; it may return NaN, (seeds).
        published_exact: The same formula in float64, (seeds).
        true: The corrected formula, (seeds).
    """

    published: Tensor
    published_exact: Tensor
    true: Tensor

    @property
    def nan_count(self) -> int:
        """The number of seeds for which the article's function returns NaN."""
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
