"""Walks of different lengths in one batch: padding changes no number."""

import pytest
import torch
from torch import Tensor

from tem_vae.data import Walks, concatenate
from tem_vae.model import ElboTerms, TemVae
from tem_vae.training.module import mean_over_steps

Walk = tuple[Tensor, Tensor]


@pytest.fixture
def batches(walk: Walk) -> list[Walks]:
    """A walk of 12 steps, and one of 7."""
    percepts, actions = walk
    long = Walks(percepts[:1], actions[:1], torch.ones(1, 12, dtype=torch.bool))
    short = Walks(percepts[1:, :7], actions[1:, :6], torch.ones(1, 7, dtype=torch.bool))
    return [long, short]


def bound(model: TemVae, walks: Walks, u: Tensor) -> ElboTerms:
    """The bound at given noise, (batch, time, M)."""
    inference = model.infer(walks.percepts, walks.actions)
    posterior = inference.posterior
    z = posterior.center + posterior.scale.unsqueeze(-1) * posterior.factorization.spread(u)
    return model.evaluate_sample(walks.percepts, inference, z, u)


@pytest.mark.parametrize("filling", [0.0, 7.0])
def test_losses_and_gradients_are_those_of_the_walks_alone(
    model: TemVae, batches: list[Walks], filling: float
) -> None:
    noise = [torch.randn(1, walks.percepts.shape[1], len(model.metric.E)) for walks in batches]
    terms = [bound(model, walks, u).elbo for walks, u in zip(batches, noise, strict=True)]
    expected = torch.cat([term.flatten() for term in terms]).mean()
    wanted = torch.autograd.grad(expected, list(model.parameters()))

    padded = concatenate(batches)
    percepts = torch.where(padded.mask.unsqueeze(-1), padded.percepts, filling)
    u = torch.nn.utils.rnn.pad_sequence([one[0] for one in noise], batch_first=True, padding_value=filling)
    found = mean_over_steps(bound(model, padded._replace(percepts=percepts), u).elbo, padded.mask)
    gradients = torch.autograd.grad(found, list(model.parameters()))

    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    for gradient, want in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(gradient, want, rtol=1e-5, atol=1e-6)


def test_predictions_are_those_of_the_walk_alone(model: TemVae, batches: list[Walks]) -> None:
    alone = model.predict(batches[1].percepts, batches[1].actions)
    padded = concatenate(batches)
    together = model.predict(padded.percepts, padded.actions)
    torch.testing.assert_close(together.percepts[1, :7], alone.percepts[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(together.novelty[1, :7], alone.novelty[0], rtol=0, atol=1e-6)
