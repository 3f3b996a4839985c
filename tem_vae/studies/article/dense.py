"""Dense float64 references, independent of :mod:`tem_vae.geometry`: N×N systems and a QR basis."""

import math

import torch
from torch import Tensor
from torch.distributions import Distribution, MultivariateNormal


class DenseReference:
    r"""The density of the neighbourhood, from an orthonormal basis Q of the range of :math:`E^\dagger`.

    Samples :math:`z = z_0 + \epsilon \beta E^\dagger u` have coordinates :math:`Q^\top (z - z_0)` in that
    basis, which are normal with covariance :math:`\epsilon^2 A A^\top`, :math:`A = \beta Q^\top E^\dagger`.

    Args:
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser.
    """

    def __init__(self, E: Tensor, tau: float) -> None:
        exact = E.double()
        normal_matrix = exact.mT @ exact + tau * torch.eye(E.shape[1], dtype=torch.float64)
        self.right_inverse = torch.linalg.solve(normal_matrix, exact.mT)
        self.shrinkage = exact @ self.right_inverse
        self.calibration = 1 / torch.linalg.matrix_norm(self.shrinkage)
        self._basis, triangle = torch.linalg.qr(self.right_inverse)
        self._map = self.calibration * triangle

    @property
    def log_volume(self) -> float:
        """Log-volume, in nats, of the map from z to u at scale 1: minus that of u to z."""
        return -float(torch.linalg.slogdet(self._map).logabsdet)

    def log_prob(self, z: Tensor, scale: float) -> Tensor:
        """Log-density (*) in nats of samples (*, N) round the origin."""
        covariance = scale**2 * self._map @ self._map.mT
        origin = torch.zeros(len(covariance), dtype=torch.float64)
        density: Distribution = MultivariateNormal(origin, covariance_matrix=covariance)
        return density.log_prob(z.double() @ self._basis)


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
