"""Bounds on log p(x_t | past), for the model and for an oracle that knows the true place."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.data import Walks
from tem_vae.model import Inference, Prior, TemVae, WalkPrior, importance_weighted_bound

# Decoded at once: at most so many samples, and about so many numbers of percepts.
_SAMPLES_AT_ONCE = 10
_NUMBERS_AT_ONCE = 2**24


class ImportanceWeightedBounds(NamedTuple):
    """Importance-weighted bounds from the same posterior samples, nats per percept, (batch, time).

    They are 0 where a percept is missing.

    Attributes:
        model: With the model's own memory weights.
        oracle: With memory weights that know the true place; None where places are not known.
    """

    model: Tensor
    oracle: Tensor | None


@torch.no_grad()
def importance_weighted_bounds(
    model: TemVae, walks: Walks, inference: Inference, samples: int
) -> ImportanceWeightedBounds:
    """Bounds from many posterior samples.

    Args:
        model: The model.
        walks: The walks.
        inference: What the model inferred from them.
        samples: K of the importance-weighted bound.
    """
    oracle = None if walks.places is None else _oracle_prior(model, walks.places, inference)
    by_model, by_oracle = [], []
    at_once = max(1, min(_SAMPLES_AT_ONCE, _NUMBERS_AT_ONCE // walks.percepts.numel()))
    for first in range(0, samples, at_once):
        z, u = inference.posterior.rsample_with_u((min(at_once, samples - first),))
        log_prior, by_place = _log_priors(inference.prior, oracle, inference.posterior.whiten_noise(u))
        terms = model.evaluate_sample(walks.percepts, inference, z, u, log_prior)
        by_model.append(terms.elbo)
        if by_place is not None:
            by_place = torch.where(inference.seen, by_place, 0)
            by_oracle.append(replace(terms, log_prior=by_place).elbo)
    return ImportanceWeightedBounds(
        importance_weighted_bound(torch.cat(by_model)),
        importance_weighted_bound(torch.cat(by_oracle)) if by_oracle else None,
    )


def _log_priors(prior: Prior, oracle: Prior | None, w: Tensor) -> tuple[Tensor, Tensor | None]:
    """Log densities at whitened coordinates; where both weigh the same kernels, in one pass over them."""
    if isinstance(prior, WalkPrior) and isinstance(oracle, WalkPrior):
        log_prior, by_place = prior.log_probs_whitened(w, [prior.near, oracle.near])
        return log_prior, by_place
    return prior.log_prob_whitened(w), None if oracle is None else oracle.log_prob_whitened(w)


def _oracle_prior(model: TemVae, places: Tensor, inference: Inference) -> Prior:
    """At distance 0 from memories of the same place and infinity from all others."""
    factorization = inference.posterior.factorization
    return model.memory.at_places(places, inference.codes, factorization, inference.seen)
