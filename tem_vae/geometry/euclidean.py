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


def safe_sqrt(x: Tensor) -> Tensor:
    """√max(x, 0), with gradient 0 instead of infinity where x <= 0."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).sqrt(), 0.0)


def pairwise_squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """‖a_t − b_s‖², (*, T, D), (*, S, D) -> (*, T, S), as `pairwise_quadratic` computes it."""
    one = b.new_ones(b.shape[:-1])
    return pairwise_quadratic(a, b, weight=one, offset=torch.zeros_like(one))


def pairwise_quadratic(a: Tensor, b: Tensor, weight: Tensor, offset: Tensor) -> Tensor:
    """weight_s ‖a_t − b_s‖² + offset_s, (*, T, D), (*, S, D), (*, S), (*, S) -> (*, T, S).

    One matrix product of (−2a, ‖a‖², 1) and (weight b, weight, weight ‖b‖² + offset). Its terms nearly cancel
    for close points far from the origin, so product and result are in float64 where the device has it; what
    rounding is left can make a vanishing distance slightly negative.
    """
    return matmul(quadratic_queries(a), quadratic_keys(b, weight, offset).mT)


def quadratic_queries(a: Tensor) -> Tensor:
    """The left factor of `pairwise_quadratic`, (*, T, D) -> (*, T, D + 2)."""
    a = a.to(matrix_dtype(a.device))
    return torch.cat([-2 * a, _squared_norm(a), torch.ones_like(a[..., :1])], dim=-1)


def quadratic_keys(b: Tensor, weight: Tensor, offset: Tensor) -> Tensor:
    """The right factor of `pairwise_quadratic`, (*, S, D), (*, S), (*, S) -> (*, S, D + 2)."""
    exact = matrix_dtype(b.device)
    b, weight, offset = (x.to(exact) for x in (b, weight.unsqueeze(-1), offset.unsqueeze(-1)))
    return torch.cat([weight * b, weight, weight * _squared_norm(b) + offset], dim=-1)


def _squared_norm(x: Tensor) -> Tensor:
    return x.square().sum(-1, keepdim=True)
