"""Sums of kernels, weighed by step, for scores: exact, without gradients, a few steps at a time."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul, smallest_share

# Of kernels that do not count. No −inf: the difference of two must stay a number.
_HIDDEN = -1e30


class KernelWeights(NamedTuple):
    """What kernels weigh at some steps.

    Attributes:
        weights: W_tvj, (batch, steps, variants, keys); every step has a key with weight in all variants.
        hidden: True where one of the last so many keys does not count, whatever it weighs, (batch, steps, *).
    """

    weights: Tensor
    hidden: Tensor


def log_kernel_sums(
    queries: Tensor,
    keys: Tensor,
    weigh: Callable[[int, int], KernelWeights],
    chunks: Iterable[tuple[int, int]],
) -> Tensor:
    """Log Σ_j W_tvj exp(q_t · k_j) of every step t, in nats, (variants, samples, batch, time).

    Kernels are computed once for all variants v of the weights, whose sums are one matrix product. No
    (time, time) array is formed.

    Args:
        queries: q_t, (samples, batch, time, D).
        keys: k_j, (batch, keys, D).
        weigh: W of steps first to last - 1, for as many of the first keys as may count.
        chunks: First and last of the steps at once, in their order.
    """
    found = []
    for first, last in chunks:
        weights, hidden = weigh(first, last)
        rows = queries[:, :, first:last].permute(1, 2, 0, 3)
        logits = matmul(rows.flatten(1, 2), keys[:, : weights.shape[-1]].mT)
        logits = logits.reshape(*rows.shape[:3], -1)
        logits[..., -hidden.shape[-1] :].masked_fill_(hidden.unsqueeze(2), _HIDDEN)
        largest = logits.amax(dim=-1, keepdim=True)
        shares = logits.sub_(largest).clamp_min_(smallest_share(logits.dtype)).exp_()
        found.append(matmul(shares, weights.mT).log() + largest)
    return torch.cat(found, dim=1).permute(3, 2, 0, 1)
