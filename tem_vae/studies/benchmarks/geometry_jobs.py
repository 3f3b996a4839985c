"""The jobs that are timed, as the geometry, the article and torch's own distributions do them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.geometry import Neighborhood, NeighborhoodMixture, factorize
from tem_vae.studies.article import published
from tem_vae.studies.benchmarks.geometry_rivals import (
    calibrated_inverse,
    low_rank_normal,
    quotient_factor,
    quotient_normal,
)

OURS = "ours"
ARTICLE = "article"
LOW_RANK = "LowRankMultivariateNormal in R^N"
QUOTIENT = "MultivariateNormal of E z"
SAMPLES = 256
QUERIES = 32
REFERENCES = 512
_TAU = 1e-3
_SCALE = 0.5


@dataclass(frozen=True)
class Contender:
    """One way to do a job.

    Attributes:
        compute: Does the job.
        inputs: The tensors to which gradients are taken.
    """

    compute: Callable[[], Tensor]
    inputs: tuple[Tensor, ...]

    def task(self, direction: str) -> Callable[[], object]:
        """What is timed: "forward" without gradients, or "forward_backward" with gradients of the sum."""
        return {"forward": self._forward, "forward_backward": self._forward_backward}[direction]

    def _forward(self) -> Tensor:
        with torch.no_grad():
            return self.compute()

    def _forward_backward(self) -> tuple[Tensor, ...]:
        return torch.autograd.grad(self.compute().sum(), self.inputs)


class GeometryJobs:
    """All jobs for one size; a job is a dictionary of contenders by name.

    The first job prepares a factorization; the others start from a factorization already prepared. In these
    the low-rank normal takes no gradient to E, for which it would need an (n, N, M) array, and it takes no
    part in the mixture.

    Args:
        code_dim: Dimension of codes, N.
        rank: Rank of the metric, M.
        device: The device to compute on.
    """

    def __init__(self, code_dim: int, rank: int, device: torch.device) -> None:
        self._code_dim, self._rank, self._device = code_dim, rank, device
        self._E = torch.empty(rank, code_dim, device=device).uniform_(-1, 1).requires_grad_()
        self._factorization = factorize(self._E, _TAU)
        self._log_volume = self._factorization.log_volume.detach().float()
        self._inverse = published.stable_left_inverse(self._E.detach(), _TAU).requires_grad_()
        self._low_rank_factor = _SCALE * calibrated_inverse(self._E.detach(), _TAU)
        self._quotient_factor = _SCALE * quotient_factor(self._E.detach(), _TAU)

    def by_name(self) -> dict[str, Callable[[], dict[str, Contender]]]:
        """The jobs by name; calling one returns its contenders."""
        return {
            "factorisation and log-volume": self.factorization,
            f"sampling, {SAMPLES} codes": self.sampling,
            f"log-density of {SAMPLES} codes, u cached": self.cached_log_prob,
            f"log-density of {SAMPLES} codes, u recomputed": self.recomputed_log_prob,
            f"mixture density, {QUERIES} codes, {REFERENCES} references": self.mixture,
        }

    def factorization(self) -> dict[str, Contender]:
        """Compute from E what samples and densities need: inverse, calibration and log-volume."""

        def ours() -> Tensor:
            factorization = factorize(self._E, _TAU)
            return factorization.spreading.sum() + factorization.log_volume

        def as_published() -> Tensor:
            logdet = published.rank_deficient_logdet(self._E, _TAU)
            return published.stable_left_inverse(self._E, _TAU).sum() + logdet

        def low_rank() -> Tensor:
            factor = calibrated_inverse(self._E, _TAU)
            return low_rank_normal(self._zeros(self._code_dim), factor).entropy()

        def quotient() -> Tensor:
            normal = quotient_normal(self._zeros(self._rank), quotient_factor(self._E, _TAU))
            return normal.entropy() - 0.5 * torch.logdet(self._E @ self._E.mT)

        contenders = {OURS: ours, ARTICLE: as_published, LOW_RANK: low_rank, QUOTIENT: quotient}
        return {name: Contender(compute, (self._E,)) for name, compute in contenders.items()}

    def sampling(self) -> dict[str, Contender]:
        """Draw one sample around each of many centers."""
        center = self._codes(SAMPLES)
        neighborhood = Neighborhood(center, _SCALE, self._factorization)
        low_rank = low_rank_normal(center, self._low_rank_factor)

        def as_published() -> Tensor:
            return published.sample_rank_deficient_pseudometric_from_reference(
                center, _SCALE, self._inverse, (SAMPLES,)
            )[0]

        return {
            OURS: Contender(neighborhood.rsample, (center, self._factorization.spreading)),
            ARTICLE: Contender(as_published, (center, self._inverse)),
            LOW_RANK: Contender(low_rank.rsample, (center,)),
        }

    def cached_log_prob(self) -> dict[str, Contender]:
        """Log-density of samples, given the noise they were made from."""
        u = torch.randn(SAMPLES, self._rank, device=self._device, requires_grad=True)
        z, center = self._codes(SAMPLES), self._codes(SAMPLES)
        neighborhood = Neighborhood(center, _SCALE, self._factorization)

        def as_published() -> Tensor:
            return published.rank_deficient_logprob_from_reference(z, self._log_volume, center, _SCALE, u=u)

        return {
            OURS: Contender(lambda: neighborhood.log_prob(z, u=u), (u,)),
            ARTICLE: Contender(as_published, (u,)),
        }

    def recomputed_log_prob(self) -> dict[str, Contender]:
        """Log-density of samples alone."""
        z, center = self._codes(SAMPLES), self._codes(SAMPLES)
        neighborhood = Neighborhood(center, _SCALE, self._factorization)
        low_rank = low_rank_normal(center.detach(), self._low_rank_factor)

        def as_published() -> Tensor:
            return published.rank_deficient_logprob_from_reference(
                z, self._log_volume, center, _SCALE, E=self._E
            )

        def quotient() -> Tensor:
            normal = quotient_normal(self._zeros(self._rank), self._quotient_factor)
            return normal.log_prob((z - center) @ self._E.mT)

        return {
            OURS: Contender(lambda: neighborhood.log_prob(z), (z, self._factorization.whitening)),
            ARTICLE: Contender(as_published, (z, self._E)),
            LOW_RANK: Contender(lambda: low_rank.log_prob(z), (z,)),
            QUOTIENT: Contender(quotient, (z, self._E)),
        }

    def mixture(self) -> dict[str, Contender]:
        """Log-density of codes, each under a mixture of all references with its own weights."""
        z, centers = self._codes(QUERIES), self._codes(REFERENCES)
        weights = torch.randn(QUERIES, REFERENCES + 1, device=self._device).log_softmax(-1)
        null = Neighborhood(self._zeros(self._code_dim), 1.0, self._factorization)

        def ours() -> Tensor:
            components = Neighborhood(centers, _SCALE, self._factorization)
            return NeighborhoodMixture(weights, components, null).log_prob(z)

        def as_published() -> Tensor:
            component = published.rank_deficient_logprob_from_reference(
                z[:, None], self._log_volume, centers, _SCALE, E=self._E
            )
            return (weights[:, 1:] + component).logsumexp(-1)

        def quotient() -> Tensor:
            components = quotient_normal(centers @ self._E.mT, self._quotient_factor)
            return (weights[:, 1:] + components.log_prob((z @ self._E.mT)[:, None])).logsumexp(-1)

        return {
            OURS: Contender(ours, (z, centers, self._factorization.whitening)),
            ARTICLE: Contender(as_published, (z, centers, self._E)),
            QUOTIENT: Contender(quotient, (z, centers, self._E)),
        }

    def _codes(self, count: int) -> Tensor:
        return torch.randn(count, self._code_dim, device=self._device, requires_grad=True)

    def _zeros(self, size: int) -> Tensor:
        return torch.zeros(size, device=self._device)
