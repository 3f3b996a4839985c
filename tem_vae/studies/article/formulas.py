"""The article's formulas and the corrected ones, with the same interface."""

import math
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor, nn

from tem_vae.geometry import Neighborhood, factorize
from tem_vae.studies.article import published
from tem_vae.studies.article.printed import CODE_DIM, PRINTED_LOGDET, RANK


class Formulas(Protocol):
    """The formulas that an experiment of the article needs, for one E (M, N) and the origin as center."""

    E: Tensor

    @property
    def right_inverse(self) -> Tensor:
        """E† with the article's factor, (N, M): the mean diagonal of E†E is 1."""

    @property
    def log_volume(self) -> float:
        """The log-volume, in nats, of the map from z to u at scale 1."""

    def sample(self, scale: float, count: int) -> tuple[Tensor, Tensor]:
        """Samples z (count, N) at a scale, and the noise u (count, M) that they were made from."""

    def log_prob(self, z: Tensor, scale: float, u: Tensor | None = None) -> Tensor:
        """Log-probabilities in nats, (*), of samples (*, N); u is computed from z unless it is given."""

    def squared_distance(self, z: Tensor) -> Tensor:
        """Squared pseudodistances (*) of samples (*, N) from the origin."""


class PublishedFormulas:
    """The formulas as the article published them.

    The published log-determinant can be NaN. :meth:`log_prob` then takes the printed one instead, so that
    figures that do not depend on its value can still be measured. :attr:`log_volume` stays NaN.

    Args:
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser.
    """

    def __init__(self, E: Tensor, tau: float) -> None:
        self.E = E
        self.right_inverse = published.stable_left_inverse(E, tau)
        self.log_volume = published.rank_deficient_logdet(E, tau).item()

    def sample(self, scale: float, count: int) -> tuple[Tensor, Tensor]:
        """See :class:`Formulas`."""
        origin = torch.zeros(self.E.shape[1])
        return published.sample_rank_deficient_pseudometric_from_reference(
            origin, scale, self.right_inverse, (count,)
        )

    def log_prob(self, z: Tensor, scale: float, u: Tensor | None = None) -> Tensor:
        """See :class:`Formulas`."""
        logdet = torch.tensor(PRINTED_LOGDET if math.isnan(self.log_volume) else self.log_volume)
        origin = torch.zeros(self.E.shape[1])
        return published.rank_deficient_logprob_from_reference(z, logdet, origin, scale, E=self.E, u=u)

    def squared_distance(self, z: Tensor) -> Tensor:
        """See :class:`Formulas`."""
        return published.rank_deficient_pseudometric(z, torch.zeros_like(z), self.E, squared=True)


class CorrectedFormulas:
    """The formulas of :mod:`tem_vae.geometry`.

    Args:
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser.
    """

    def __init__(self, E: Tensor, tau: float) -> None:
        self.E = E
        self._factorization = factorize(E, tau)

    @cached_property
    def right_inverse(self) -> Tensor:
        """See :class:`Formulas`; E† times N/tr(S)."""
        rebalancing = self.E.shape[1] / self._factorization.shrinkage.trace()
        return self._factorization.right_inverse * rebalancing.to(self.E.dtype)

    @cached_property
    def log_volume(self) -> float:
        """See :class:`Formulas`."""
        return -self._factorization.log_volume.item()

    def sample(self, scale: float, count: int) -> tuple[Tensor, Tensor]:
        """See :class:`Formulas`."""
        return self._neighborhood(scale).rsample_with_u((count,))

    def log_prob(self, z: Tensor, scale: float, u: Tensor | None = None) -> Tensor:
        """See :class:`Formulas`."""
        return self._neighborhood(scale).log_prob(z, u=u)

    def squared_distance(self, z: Tensor) -> Tensor:
        """See :class:`Formulas`."""
        return (z @ self.E.mT).square().sum(dim=-1)

    def _neighborhood(self, scale: float) -> Neighborhood:
        return Neighborhood(torch.zeros(self.E.shape[1]), scale, self._factorization)


def uniform_embedding(rank: int = RANK, code_dim: int = CODE_DIM) -> Tensor:
    """An embedding (M, N) with entries uniform in [-1, 1], as in the article's experiments."""
    return torch.empty(rank, code_dim).uniform_(-1, 1)


def linear_embedding(rank: int = RANK, code_dim: int = CODE_DIM) -> Tensor:
    """An embedding (M, N) as :class:`torch.nn.Linear` draws it: its squared singular values are near 1/3."""
    return nn.Linear(code_dim, rank, bias=False).weight.detach()
