"""Laws and sampling errors against simulation."""

import math

import pytest
import torch

from tem_vae.geometry import factorize
from tem_vae.seeding import seeded
from tem_vae.studies.article.formulas import uniform_embedding
from tem_vae.studies.article.theory import (
    Law,
    distance_law,
    projector_diagonal_std,
    projector_identity_gap,
    squared_distance_law,
    standard_log_prob_law,
)

RANK = 8
DRAWS = 40_000
LAWS = {
    "squared distance": (squared_distance_law, lambda u: u.square().mean(-1)),
    "distance": (distance_law, lambda u: u.square().mean(-1).sqrt()),
    "log-probability": (
        standard_log_prob_law,
        lambda u: torch.distributions.Normal(0, 1).log_prob(u).sum(-1),
    ),
}


@pytest.mark.parametrize("name", LAWS)
def test_law_has_the_moments_of_its_draws(name: str) -> None:
    law, draw = LAWS[name][0](RANK), LAWS[name][1]
    with seeded(0):
        values = draw(torch.randn(DRAWS, RANK, dtype=torch.float64))
    assert abs(values.mean().item() - law.mean) < 4 * law.error_of_mean(DRAWS)
    assert abs(values.std().item() - law.std) < 4 * law.error_of_std(DRAWS)


def test_error_of_std_is_the_spread_of_many_standard_deviations() -> None:
    repeats, samples = 4_000, 100
    law = squared_distance_law(RANK)
    with seeded(0):
        values = torch.randn(repeats, samples, RANK, dtype=torch.float64).square().mean(-1).std(-1)
    # The standard deviation of 4,000 values is known to 1/√8000 = 1.1 %; 10 % also covers the leading order.
    assert values.std().item() == pytest.approx(law.error_of_std(samples), rel=0.1)


def test_scaling_a_law_scales_mean_and_spread() -> None:
    assert Law(2.0, 3.0, 1.0).scaled(-2.0) == Law(-4.0, 6.0, 1.0)


def test_projector_figures_are_met_by_large_embeddings() -> None:
    rank, code_dim, seeds = 64, 512, 8
    spreads, gaps = [], []
    with seeded(0):
        for _ in range(seeds):
            factorization = factorize(uniform_embedding(rank, code_dim).double(), tau=0.0)
            projector = factorization.right_inverse @ factorization.embedding * (code_dim / rank)
            spreads.append(projector.diagonal().std().item())
            gaps.append((projector - torch.eye(code_dim)).abs().mean().item())
    for found, expected in (
        (torch.tensor(spreads), projector_diagonal_std(rank, code_dim)),
        (torch.tensor(gaps), projector_identity_gap(rank, code_dim)),
    ):
        assert (
            abs(found.mean().item() - expected) < 4 * found.std().item() / math.sqrt(seeds) + 0.01 * expected
        )
