"""Bounds on log p(x_t | past), for the model and for an oracle that knows the true place."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.data import Walks
from tem_vae.model import Memory, TemVae, importance_weighted_bound

_SAMPLES_AT_ONCE = 10


class TightBounds(NamedTuple):
    """Importance-weighted bounds from the same posterior samples, nats per percept, (batch, time).

    Attributes:
        model: With the model's own memory weights.
        oracle: With memory weights that know the true place.
    """

    model: Tensor
    oracle: Tensor


def oracle_log_weights(memory: Memory, places: Tensor) -> Tensor:
    """Log memory weights at distance 0 from memories of the same place and infinity from all others.

    Args:
        memory: Whose null component, background and precision are kept.
        places: (batch, time).
    """
    same = places.unsqueeze(-1) == places.unsqueeze(-2)
    near = torch.zeros(same.shape, device=places.device).masked_fill(~same, -torch.inf)
    past = torch.ones(same.shape[1:], dtype=torch.bool, device=places.device).tril(diagonal=-1)
    return memory.weigh(near, past)


@torch.no_grad()
def tight_bounds(model: TemVae, walks: Walks, samples: int, steps: int) -> TightBounds:
    """Bounds from many posterior samples, on the beginning of every walk.

    Args:
        model: The model.
        walks: The walks.
        samples: K of the importance-weighted bound.
        steps: How many steps of every walk are bounded.
    """
    percepts, actions = walks.percepts[:, :steps], walks.actions[:, : steps - 1]
    inference = model.infer(percepts, actions)
    weights = oracle_log_weights(model.memory, walks.places[:, :steps])
    factorization = inference.posterior.factorization
    oracle = replace(inference, prior=model.memory(inference.posterior.center, weights, factorization))
    by_model, by_oracle = [], []
    for first in range(0, samples, _SAMPLES_AT_ONCE):
        z, u = inference.posterior.rsample_with_u((min(_SAMPLES_AT_ONCE, samples - first),))
        terms = model.evaluate_sample(percepts, inference, z, u)
        by_model.append(terms.elbo)
        by_oracle.append(replace(terms, log_prior=oracle.prior.log_prob(z)).elbo)
    return TightBounds(
        importance_weighted_bound(torch.cat(by_model)), importance_weighted_bound(torch.cat(by_oracle))
    )
