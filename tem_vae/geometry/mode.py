"""Where a mixture of neighborhoods is dense."""

import torch
from torch import Tensor

from tem_vae.geometry.euclidean import quadratic_keys, quadratic_queries
from tem_vae.geometry.precision import matmul, smallest_share, working_dtype

_CANDIDATES = 16
_MEAN_SHIFT_STEPS = 3
_TIE = 1e-3


def neighborhood_keys(whitened: Tensor, scales: Tensor) -> Tensor:
    """What makes −½‖w − w_s‖²/eps_s² − M log eps_s a product with `quadratic_queries(w)`, (*B, S, M + 2).

    Args:
        whitened: Whitened centers w_s, (*B, S, M).
        scales: eps_s, (*B, S).
    """
    return quadratic_keys(whitened, -0.5 / scales.square(), -whitened.shape[-1] * scales.log())


def mode_shares(log_weights: Tensor, keys: Tensor, whitened: Tensor, scales: Tensor) -> Tensor:
    """The shares of the components in a code of high density of each row, (*B, T, S).

    Such a code is the best of a few centers, moved uphill by a few steps of mean shift. The few are that of
    the first component and those that weigh most. Of those whose density is within a thousandth of the
    highest the first is taken, and of weights that differ by less than a thousandth the first, so that
    rounding does not decide between memories of one place. A step z <- Σ_s r_s c_s with r_s ∝ w_s
    p_s(z)/eps_s² never lowers the density of a Gaussian mixture; three come close to the top of a cluster of
    overlapping neighborhoods.

    Args:
        log_weights: Of every row, (*B, T, S); −inf is no weight.
        keys: `neighborhood_keys`, (*B, S, M + 2).
        whitened: Whitened centers, (*B, S, M).
        scales: (*B, S).
    """
    candidates = _candidates(log_weights)
    density, kernel, index = _log_density(log_weights, candidates, keys, whitened)
    best = (density >= density.amax(-1, keepdim=True) - _TIE).byte().argmax(-1, keepdim=True)
    kernel = _take(kernel, index.gather(-1, best)).squeeze(-2)
    log_pull = log_weights - 2 * scales.log().unsqueeze(-2)
    pull, total = _pull(log_pull, kernel)
    for _ in range(_MEAN_SHIFT_STEPS - 1):
        w = matmul(pull, whitened) / total
        pull, total = _pull(log_pull, matmul(quadratic_queries(w), keys.mT).to(working_dtype(w)))
    return pull / total


def log_sum_exp(x: Tensor) -> Tensor:
    """Log sum exp over the last axis, of which at least one entry is finite.

    max x − max log softmax x: on CPUs several times faster than `torch.logsumexp`, whose exponential is slow
    where it underflows, as it does for all but a few components; and its gradient is finite beside −inf.
    """
    largest, index = x.max(-1, keepdim=True)
    return (largest - x.log_softmax(-1).gather(-1, index)).squeeze(-1)


def _candidates(log_weights: Tensor) -> Tensor:
    """Indices of the first component and of the heaviest others, in order, (*B, T, candidates)."""
    count = log_weights.shape[-1]
    first = torch.arange(count, device=log_weights.device) / count
    order = (log_weights.double() / _TIE).round() - first
    order[..., 0] = torch.inf
    return order.topk(min(_CANDIDATES, count), dim=-1).indices.sort(dim=-1).values


def _pull(log_pull: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """The parts that components have in the next step of mean shift, (*B, T, S), and their sum."""
    logits = log_pull + kernel
    pull = _exp_beside(logits, logits.amax(-1, keepdim=True))
    return pull, pull.sum(-1, keepdim=True)


def _log_density(
    log_weights: Tensor, candidates: Tensor, keys: Tensor, whitened: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """At the centers of the candidates, (*B, T, candidates), up to a constant.

    Besides the kernels of all that are a candidate of some row, (*B, U, S), and which of them are those of
    each row.

    The density is −inf at a candidate without weight. Kernels are computed once for all rows that have a
    candidate in common, and the sum over components is a matrix product. Only the first component is added
    as a logarithm: it may weigh almost everything, and be as wide as it likes.
    """
    chosen, index = _distinct(candidates, keys.shape[-2])
    centers = _take(whitened, chosen.unsqueeze(-1)).squeeze(-2)
    kernel = matmul(quadratic_queries(centers), keys.mT).to(working_dtype(whitened))
    log_weights = log_weights.to(kernel.dtype)
    if kernel.shape[-1] == 1:
        return log_weights, kernel, index
    peak, first = kernel.amax(-1), kernel[..., 0]
    heaviest = log_weights[..., 1:].amax(-1, keepdim=True).clamp_min(torch.finfo(kernel.dtype).min)
    weights = _exp_beside(log_weights[..., 1:], heaviest)
    others = matmul(weights, _exp_beside(kernel[..., 1:], peak.unsqueeze(-1)).mT).gather(-1, index)
    others = others.log() + heaviest + _of_candidates(peak, index)
    density = torch.logaddexp(log_weights[..., :1] + _of_candidates(first, index), others)
    density = density.masked_fill(log_weights.gather(-1, candidates).isneginf(), -torch.inf)
    return density, kernel, index


def _exp_beside(logits: Tensor, largest: Tensor) -> Tensor:
    """Exponentials beside that of the largest; the smallest are raised, so that they take no longer."""
    return (logits - largest).clamp_min_(smallest_share(logits.dtype)).exp_()


def _of_candidates(values: Tensor, index: Tensor) -> Tensor:
    """Values (*B, U) of those that are a candidate of some row, for each row, (*B, T, candidates)."""
    return values.unsqueeze(-2).expand(*index.shape[:-1], values.shape[-1]).gather(-1, index)


def _distinct(candidates: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The numbers (*B, U) of all that are a candidate of some row, and which of them are those of each row.

    Where other rows of the batch have more, there are some that are no candidates.
    """
    if candidates.shape[-2] == 1:
        first = torch.arange(candidates.shape[-1], device=candidates.device)
        return candidates.squeeze(-2), first.expand(candidates.shape)
    flat = candidates.flatten(-2)
    used = torch.zeros(*flat.shape[:-1], count, dtype=torch.uint8, device=flat.device).scatter_(-1, flat, 1)
    most = int(used.sum(-1).max())
    chosen = used.argsort(dim=-1, descending=True, stable=True)[..., :most]
    index = (used.cumsum(-1) - 1).gather(-1, flat).reshape(candidates.shape)
    return chosen, index


def _take(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (*B, S, D) by their numbers (*B, T, K), (*B, T, K, D)."""
    flat = index.flatten(-2).unsqueeze(-1)
    taken = rows.gather(-2, flat.expand(*flat.shape[:-1], rows.shape[-1]))
    return taken.reshape(*index.shape, rows.shape[-1])
