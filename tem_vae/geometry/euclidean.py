"""Euclidean distances between embedded points, accurate and with finite gradients where points coincide."""

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul, matrix_dtype, working_dtype


def norm(x: Tensor) -> Tensor:
    """‖x‖ over the last axis, (*, D) -> (*); its gradient at x = 0 is 0.

    Squares are summed in float64, so that coordinates of 1e-20 or 1e20 neither vanish nor overflow.
    """
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, dtype=matrix_dtype(x.device))
    return length.to(working_dtype(x))


def pairwise_squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """‖a_t − b_s‖² = ‖a_t‖² + ‖b_s‖² − 2 a_t·b_s by matrix product, (*, T, D), (*, S, D) -> (*, T, S).

    The three terms nearly cancel for close points far from the origin, so they are summed in float64. What
    rounding is left can make a vanishing distance slightly negative.
    """
    exact = matrix_dtype(a.device)
    dtype = working_dtype(a, b)
    a, b = a.to(exact), b.to(exact)
    squared = matmul(-2 * a, b.mT)
    squared += a.square().sum(-1).unsqueeze(-1)
    squared += b.square().sum(-1).unsqueeze(-2)
    return squared.to(dtype)


def safe_sqrt(x: Tensor) -> Tensor:
    """√max(x, 0), with gradient 0 instead of infinity where x <= 0."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).sqrt(), 0.0)
