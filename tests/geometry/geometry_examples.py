"""Embeddings, codes and mixtures for the tests."""

import math

import torch
from torch import Tensor

from tem_vae.geometry import Factorization, Neighborhood, NeighborhoodMixture


def embedding(
    rank: int, code_dim: int, seed: int = 0, smallest: float = 0.3, largest: float = 3.0, scale: float = 1.0
) -> Tensor:
    """A random float64 matrix with singular values evenly spread between the two given."""
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rank, rank, dtype=torch.float64, generator=generator))
    right, _ = torch.linalg.qr(torch.randn(code_dim, rank, dtype=torch.float64, generator=generator))
    return scale * (left * torch.linspace(largest, smallest, rank, dtype=torch.float64)) @ right.mT


def codes(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal float64 codes."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def causal_log_weights(*batch: int, time: int, seed: int = 0) -> Tensor:
    """Random log-weights, (*batch, time, time + 1): row t weighs the null component and memories s < t."""
    logits = codes(*batch, time, time + 1, seed=seed)
    past = torch.ones(time, time).tril(-1).bool()
    mask = torch.cat([torch.ones(time, 1, dtype=torch.bool), past], dim=-1)
    return logits.masked_fill(~mask, -math.inf).log_softmax(-1)


def mixture_of(
    factorization: Factorization, center: Tensor, log_weights: Tensor, scale: float | Tensor = 0.5
) -> NeighborhoodMixture:
    components = Neighborhood(center, scale, factorization)
    null = Neighborhood(torch.zeros_like(center[..., 0, :]), 2.0, factorization)
    return NeighborhoodMixture(log_weights, components, null)
