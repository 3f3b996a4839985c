"""What torch's own distributions can do of what a neighbourhood does."""

import torch
from torch import Tensor
from torch.distributions import Distribution, LowRankMultivariateNormal, MultivariateNormal

_FLOOR = 1e-6


def calibrated_inverse(E: Tensor, tau: float) -> Tensor:
    r""":math:`\beta E^\dagger` from E (M, N), in plain torch, (N, M)."""
    gram = E @ E.mT
    inverse = torch.linalg.solve(gram + tau * torch.eye(len(E), device=E.device), E).mT
    calibrated: Tensor = inverse / (E @ inverse).norm()
    return calibrated


def low_rank_normal(loc: Tensor, factor: Tensor) -> Distribution:
    """A normal in R^N with the covariance of a neighbourhood.

    Its density exists only with noise in every dimension, so a variance of 1e-6 is added to each.

    Args:
        loc: Centers, (*, N).
        factor: The matrix εβE†, (N, M).
    """
    floor = torch.full((len(factor),), _FLOOR, device=factor.device)
    distribution: Distribution = LowRankMultivariateNormal(loc, factor, floor)
    return distribution


def quotient_factor(E: Tensor, tau: float) -> Tensor:
    """A Cholesky factor (M, M) of the covariance of E z at scale 1, for samples z of a neighbourhood."""
    embedded = E @ calibrated_inverse(E, tau)
    factor: Tensor = torch.linalg.cholesky(embedded @ embedded.mT)
    return factor


def quotient_normal(loc: Tensor, factor: Tensor) -> Distribution:
    """The law of E z, with z a sample of a neighbourhood.

    Its density is that of z up to a constant, the volume of E. It cannot draw z.

    Args:
        loc: Embedded centers, (*, M).
        factor: What :func:`quotient_factor` returns, times the scale, (M, M).
    """
    distribution: Distribution = MultivariateNormal(loc, scale_tril=factor)
    return distribution
