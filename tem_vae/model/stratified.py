"""Which of many weighted hypotheses to keep, without bias."""

import torch
from torch import Tensor


def stratified_choice(
    log_weights: Tensor, count: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    r"""Keep at most so many hypotheses: the heavy ones as they are, of the light ones a stratified sample.

    A hypothesis of weight w is kept with probability min(1, w/c), and then weighs max(w, c), with the c for
    which ``count`` are kept: so the expectation of its weight stays what it was, and of all such choices this
    one changes the weights least (Fearnhead & Clifford 2003, J. R. Stat. Soc. B 65, 887). A random number
    decides for each walk.

    Args:
        log_weights: In nats, (batch, hypotheses); −inf is never kept while there are others.
        count: How many to keep.
        generator: Of the random numbers; None for torch's.

    Returns:
        Which were kept, (batch, count), and their log weights; where there are fewer than ``count`` with any
        weight, the others have −inf.
    """
    if log_weights.shape[-1] <= count:
        missing = count - log_weights.shape[-1]
        padded = torch.nn.functional.pad(log_weights, (0, missing), value=-torch.inf)
        index = torch.arange(count, device=log_weights.device).clamp_max(log_weights.shape[-1] - 1)
        return index.expand(len(log_weights), -1), padded
    largest = log_weights.amax(dim=-1, keepdim=True)
    weights = (log_weights - largest).double().exp()
    probability = _inclusion(weights, count)
    kept = _systematic(probability, generator)
    # The kept ones come first, in their order, which rounding cannot change; others fill the rest.
    index = kept.byte().argsort(dim=-1, descending=True, stable=True)[:, :count]
    chosen = torch.where(kept, weights / probability.clamp_min(torch.finfo(weights.dtype).tiny), 0)
    return index, (chosen.gather(-1, index).log() + largest).to(log_weights.dtype)


def _inclusion(weights: Tensor, count: int) -> Tensor:
    """min(1, w/c) with c such that they sum to ``count``; where fewer have weight, 1 for these.

    Shape (batch, hypotheses).
    """
    ordered = weights.sort(dim=-1, descending=True).values
    rest = ordered.flip(-1).cumsum(dim=-1).flip(-1)[:, :count]
    # If the n heaviest are surely kept, the others share count − n places by their weight.
    places = count - torch.arange(count, device=weights.device)
    threshold = rest / places
    first = (ordered[:, :count] <= threshold).byte().argmax(dim=-1, keepdim=True)
    threshold = threshold.gather(-1, first)
    share = torch.where(threshold > 0, weights / threshold, (weights > 0).to(weights.dtype))
    return share.clamp_max(1)


def _systematic(probability: Tensor, generator: torch.Generator | None) -> Tensor:
    """A sample that holds each with its probability, from one random number a walk, (batch, hypotheses)."""
    edges = probability.cumsum(dim=-1)
    edges = edges * (edges[:, -1:].round() / edges[:, -1:])  # they sum to a whole number but for rounding
    start = torch.rand(len(edges), 1, generator=generator, dtype=edges.dtype, device=edges.device)
    crossed = torch.floor(edges + start)
    before = torch.cat([torch.zeros_like(start), crossed[:, :-1]], dim=-1)
    return crossed > before
