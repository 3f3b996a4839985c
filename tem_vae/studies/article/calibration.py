"""The mean of d²/eps² for many ranks and regularisers, with the article's calibration and with ours."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.geometry import Factorization, Neighborhood, Pseudometric
from tem_vae.seeding import seeded
from tem_vae.studies.article.formulas import PublishedFormulas, linear_embedding
from tem_vae.studies.article.printed import CODE_DIM, TAU

ALLOWED_ERRORS = 4
_CHUNK = 2_000


@dataclass(frozen=True)
class CalibrationCase:
    r"""The mean squared distance of one rank and regulariser.

    Attributes:
        rank: The metric rank M. The code dimension N is the article's.
        tau: The Tikhonov regulariser.
        mean: The mean of :math:`d^2/\epsilon^2` over the sample. It should be 1.
        standard_error: That of the mean, :math:`\sqrt{2\,\mathrm{tr}(S^4)/n} / \mathrm{tr}(S^2)`.
    """

    rank: int
    tau: float
    mean: float
    standard_error: float

    @property
    def errors(self) -> float:
        """How far the mean is above 1, in standard errors."""
        return (self.mean - 1) / self.standard_error

    @property
    def passed(self) -> bool:
        """Whether the mean is 1 within sampling error."""
        return abs(self.errors) <= ALLOWED_ERRORS


def corrected_calibration(
    ranks: Sequence[int], taus: Sequence[float], samples: int, seed: int
) -> list[CalibrationCase]:
    """Measure the corrected calibration for every rank with every regulariser.

    E is drawn as ``nn.Linear`` draws it. Its squared singular values are near 1/3, so a tau of 10 is far
    larger than all of them.
    """
    with seeded(seed), torch.no_grad():
        return [_measure(_metric(rank, tau), samples) for rank in ranks for tau in taus]


def published_calibration(ranks: Sequence[int], samples: int, seed: int) -> dict[int, float]:
    r"""Measure the mean of :math:`d^2/\epsilon^2` for every rank, with the article's sampler and tau."""
    with seeded(seed), warnings.catch_warnings(action="ignore", category=UserWarning):
        return {rank: _published_mean(linear_embedding(rank), samples) for rank in ranks}


def squared_distance_spread(shrinkage: Tensor) -> float:
    r"""The deviation of :math:`d^2/\epsilon^2`, :math:`\sqrt{2\,\mathrm{tr}(S^4)} / \mathrm{tr}(S^2)`."""
    squared = shrinkage @ shrinkage
    return math.sqrt(2 * squared.square().sum().item()) / squared.trace().item()


def _metric(rank: int, tau: float) -> Pseudometric:
    metric = Pseudometric(CODE_DIM, rank, tau)
    metric.weight.copy_(linear_embedding(rank))
    return metric


def _measure(metric: Pseudometric, samples: int) -> CalibrationCase:
    factorization = metric.factorize()
    mean = sum(_squared_distances(metric, factorization, samples)) / samples
    standard_error = squared_distance_spread(factorization.shrinkage) / math.sqrt(samples)
    return CalibrationCase(metric.rank, metric.tau, mean, standard_error)


def _squared_distances(metric: Pseudometric, factorization: Factorization, samples: int) -> list[float]:
    """Squared distances of samples from the center, summed over each chunk of samples."""
    center = torch.zeros(metric.code_dim)
    neighborhood = Neighborhood(center, 1.0, factorization)
    counts = [min(_CHUNK, samples - start) for start in range(0, samples, _CHUNK)]
    return [
        metric.distance(neighborhood.rsample((count,)), center, squared=True).double().sum().item()
        for count in counts
    ]


def _published_mean(E: Tensor, samples: int) -> float:
    formulas = PublishedFormulas(E, TAU)
    z, _ = formulas.sample(1.0, samples)
    return formulas.squared_distance(z).double().mean().item()
