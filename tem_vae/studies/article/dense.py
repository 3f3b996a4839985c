r"""The geometry by its definitions, in dense float64 linear algebra, to compare other ways with.

It shares no code with :mod:`tem_vae.geometry`: every quantity is solved for from E and tau, without a common
factorisation. The formulas are those of `docs/mathematics.md`.
"""

import math
from functools import cached_property

import torch
from torch import Tensor
from torch.distributions import Distribution, MultivariateNormal


class DenseReference:
    """What :class:`tem_vae.geometry.Factorization` and ``Neighborhood`` should say, with gradients to E.

    Args:
        E: embedding matrix, (M, N); taken to float64.
        tau: Tikhonov regulariser.
    """

    def __init__(self, E: Tensor, tau: float) -> None:
        self.E = E.double()
        self.tau = tau

    @cached_property
    def right_inverse(self) -> Tensor:
        r"""The regularised inverse :math:`E^\dagger = E^\top (E E^\top + \tau I_M)^{-1}`, (N, M)."""
        gram = self.E @ self.E.mT
        inverse: Tensor = torch.linalg.solve(gram + self.tau * torch.eye(len(gram), dtype=gram.dtype), self.E)
        return inverse.mT

    @cached_property
    def shrinkage(self) -> Tensor:
        r"""The matrix :math:`S = E E^\dagger`, (M, M)."""
        return self.E @ self.right_inverse

    @cached_property
    def calibration(self) -> Tensor:
        r"""The factor :math:`\beta = 1 / \lVert S \rVert_F`, ()."""
        return 1 / self.shrinkage.square().sum().sqrt()

    @cached_property
    def spreading(self) -> Tensor:
        r"""The map :math:`\beta E^\dagger` from u to z at scale 1, (N, M)."""
        return self.calibration * self.right_inverse

    @cached_property
    def whitening(self) -> Tensor:
        r"""The map :math:`S^{-1} E / \beta` from z back to u at scale 1, (M, N)."""
        solved: Tensor = torch.linalg.solve(self.shrinkage, self.E)
        return solved / self.calibration

    @cached_property
    def log_volume(self) -> Tensor:
        """The log-volume in nats of the map from u to z at scale 1, ()."""
        return 0.5 * torch.logdet(self.spreading.mT @ self.spreading)

    def log_prob(self, z: Tensor, scale: float | Tensor, center: Tensor | float = 0.0) -> Tensor:
        r"""Log-density in nats: that of a `MultivariateNormal` in an orthonormal basis of the range of E†.

        A code outside the support has the density of the point of the support that E cannot tell from it.

        Args:
            z: codes, (*, N).
            scale: of the neighbourhood, a number or ().
            center: of the neighbourhood, broadcasting with ``z``; the origin unless given.

        Returns:
            Log-densities, (*).
        """
        basis, _ = torch.linalg.qr(self.right_inverse)
        embedded = (z - center).double() @ self.E.mT
        displacement = torch.linalg.solve(self.shrinkage, embedded.mT).mT @ self.right_inverse.mT
        factor = scale * basis.mT @ self.spreading
        origin = torch.zeros(len(self.E), dtype=torch.float64)
        density: Distribution = MultivariateNormal(origin, factor @ factor.mT)
        return density.log_prob(displacement @ basis)


def inverse_from_large_system(E: Tensor, tau: float) -> Tensor:
    r"""The regularised inverse from an N×N system, :math:`(E^\top E + \tau I_N)^{-1} E^\top`, in float64."""
    exact = E.double()
    normal_matrix = exact.mT @ exact + tau * torch.eye(E.shape[1], dtype=torch.float64)
    inverse: Tensor = torch.linalg.solve(normal_matrix, exact.mT)
    return inverse


def published_log_volume(E: Tensor, tau: float) -> float:
    r"""The article's :math:`\frac12 \log\det(E^\top E/\beta^2 + \tau I_N)`, N×N, in float64 and in nats."""
    exact = E.double()
    identity = torch.eye(E.shape[1], dtype=torch.float64)
    return 0.5 * float(torch.logdet(exact.mT @ exact / _published_squared_scale(E) + tau * identity))


def published_log_volume_from_gram(E: Tensor, tau: float) -> float:
    r"""The same from M eigenvalues, with :math:`\frac12 (N - M) \log \tau` for the N - M others."""
    rank, code_dim = E.shape
    exact = E.double()
    eigenvalues = torch.linalg.eigvalsh(exact @ exact.mT) / _published_squared_scale(E) + tau
    return 0.5 * (float(eigenvalues.log().sum()) + (code_dim - rank) * math.log(tau))


def _published_squared_scale(E: Tensor) -> float:
    rank, code_dim = E.shape
    return (rank / code_dim) ** 4 / 2
