"""The geometry by its definitions, in dense float64 linear algebra, to compare the real one with."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal


@dataclass
class DenseOracle:
    """E (M, N) and tau, with every quantity solved for anew."""

    E: Tensor
    tau: float

    @property
    def right_inverse(self) -> Tensor:
        gram = self.E @ self.E.mT
        return torch.linalg.solve(gram + self.tau * torch.eye(len(gram), dtype=gram.dtype), self.E).mT

    @property
    def shrinkage(self) -> Tensor:
        return self.E @ self.right_inverse

    @property
    def calibration(self) -> Tensor:
        return 1 / self.shrinkage.square().sum().sqrt()

    @property
    def spreading(self) -> Tensor:
        return self.calibration * self.right_inverse

    @property
    def log_volume(self) -> Tensor:
        return 0.5 * torch.logdet(self.spreading.mT @ self.spreading)

    @property
    def whitening(self) -> Tensor:
        return torch.linalg.solve(self.shrinkage, self.E) / self.calibration

    def log_prob(self, z: Tensor, center: Tensor, scale: float | Tensor) -> Tensor:
        """A MultivariateNormal in an orthonormal basis of range(E†).

        z reaches the support along ker E: to the point of it that E cannot tell from z.
        """
        right_inverse = self.right_inverse
        basis, _ = torch.linalg.qr(right_inverse)
        embedded = (z - center) @ self.E.mT
        displacement = torch.linalg.solve(self.shrinkage, embedded.mT).mT @ right_inverse.mT
        spread = scale * basis.mT @ self.spreading
        origin = torch.zeros(len(self.E), dtype=self.E.dtype)
        return MultivariateNormal(origin, spread @ spread.mT).log_prob(displacement @ basis)
