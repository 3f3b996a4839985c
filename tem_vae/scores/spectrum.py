"""What the spectrum of an embedding says: how many directions count, and which."""

from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry import Factorization, Pseudometric


class Spectrum(NamedTuple):
    """The spectrum of a matrix.

    Attributes:
        singular_values: Descending, in float64, (min(rows, columns),).
        effective_rank: The number of directions that count, a scalar: see `effective_rank`.
    """

    singular_values: Tensor
    effective_rank: Tensor


def measure_spectrum(matrix: Tensor) -> Spectrum:
    """The spectrum of a matrix, (rows, columns)."""
    sigma = torch.linalg.svdvals(matrix.double())
    share = sigma / sigma.sum()
    return Spectrum(sigma, torch.special.entr(share).sum().exp())


def effective_rank(matrix: Tensor) -> Tensor:
    """The number of directions that count, between 1 and the rank; a scalar.

    The exponential of the entropy of the singular values, normalised to sum 1 (Roy & Vetterli 2007,
    "The effective rank: a measure of effective dimensionality").
    """
    return measure_spectrum(matrix).effective_rank


def subspace_share(matrix: Tensor, basis: Tensor) -> Tensor:
    """The share of ‖matrix‖_F² that lies in a subspace of its rows; a scalar in [0, 1].

    Args:
        matrix: (M, N).
        basis: Orthonormal columns that span the subspace, (N, dim).
    """
    exact = matrix.double()
    return (exact @ basis.double()).square().sum() / exact.square().sum()


@torch.no_grad()
def describe_spectrum(metric: Pseudometric) -> dict[str, Tensor]:
    """Singular values, effective rank and condition number of E and of the whitening S⁻¹E, by logged name.

    The spectrum of S⁻¹E says what the density measures: below √tau, a smaller singular value of E makes a
    direction count more.
    """
    factorization = metric.factorize()
    scalars: dict[str, Tensor] = {}
    for name, matrix in (("E", factorization.embedding), ("whitening", unscaled_whitening(factorization))):
        sigma, scalars[f"metric/effective_rank_{name}"] = measure_spectrum(matrix)
        scalars[f"metric/condition_number_{name}"] = sigma[0] / sigma[-1]
        scalars |= {f"metric/sigma_{name}_{i + 1:02d}": value for i, value in enumerate(sigma)}
    return scalars


def unscaled_whitening(factorization: Factorization) -> Tensor:
    """S⁻¹E, (M, N), without the calibration: its singular values are sigma + tau/sigma."""
    return factorization.whitening * factorization.calibration
