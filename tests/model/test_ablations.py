"""The parts that ablations put in place of the model's own."""

import copy
import math

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from tem_vae.geometry import Neighborhood, Pseudometric, factorize
from tem_vae.model import (
    GaussianLikelihood,
    LeakyTemVae,
    StandardNormalPrior,
    TemVae,
    diagonal_metric,
    euclidean_metric,
    random_metric,
)

Walk = tuple[Tensor, Tensor]


def train_briefly(metric: Pseudometric) -> None:
    """Descend on something that every entry of E has a part in."""
    a, b = torch.randn(2, 20, metric.code_dim, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(metric.parameters(), lr=0.5)
    for _ in range(20):
        optimizer.zero_grad()
        loss = (metric.distance(a, b, squared=True) * a[:, 0]).sum()
        if loss.requires_grad:
            loss.backward()
        optimizer.step()


class TestMetrics:
    def test_euclidean_distances(self) -> None:
        a, b = torch.randn(2, 5, 7)
        torch.testing.assert_close(euclidean_metric(7, tau=1e-3).distance(a, b), (a - b).norm(dim=-1))

    @pytest.mark.parametrize("metric", [euclidean_metric(6, 1e-3), random_metric(6, 2, 1e-3)])
    def test_fixed_metrics_do_not_learn(self, metric: Pseudometric) -> None:
        before = metric.E.clone()
        train_briefly(metric)
        assert torch.equal(metric.E, before)
        assert "weight" in metric.state_dict()

    def test_a_random_metric_is_a_projection_in_the_gauge_of_the_learned_one(self) -> None:
        E = random_metric(30, 4, 1e-3).E
        torch.testing.assert_close(E @ E.T, torch.eye(4))
        assert not torch.allclose(E, random_metric(30, 4, 1e-3).E, atol=0.1)

    @pytest.mark.parametrize("normalize", [True, False])
    def test_a_diagonal_metric_stays_diagonal_and_positive(self, normalize: bool) -> None:
        metric = diagonal_metric(6, tau=1e-3, normalize=normalize)
        torch.testing.assert_close(metric.E, torch.eye(6))
        train_briefly(metric)
        diagonal = metric.E.diagonal()
        torch.testing.assert_close(metric.E, diagonal.diag())
        assert (diagonal > 0).all()
        assert diagonal.std() > 0.1
        assert (abs(diagonal.norm() - math.sqrt(6)) < 1e-5) == normalize

    def test_a_diagonal_metric_has_one_parameter_a_dimension(self) -> None:
        metric = diagonal_metric(6, tau=1e-3, normalize=True)
        assert [tuple(parameter.shape) for parameter in metric.parameters()] == [(6,)]

    def test_a_diagonal_metric_is_restored_from_its_state(self) -> None:
        trained, fresh = (diagonal_metric(6, tau=1e-3, normalize=True) for _ in range(2))
        train_briefly(trained)
        fresh.load_state_dict(trained.state_dict())
        assert torch.equal(fresh.E, trained.E)
        assert torch.equal(copy.deepcopy(trained).E, trained.E)


class TestStandardNormalPrior:
    def test_density_is_that_of_a_standard_normal_of_embedded_codes(self) -> None:
        torch.manual_seed(0)
        E = torch.randn(3, 8, dtype=torch.float64)
        factorization = factorize(E, tau=0.0)
        memory = StandardNormalPrior(code_dim=8, rank=3)
        codes = torch.randn(2, 5, 8, dtype=torch.float64)
        # Only where the rows of E are orthonormal are N(0, I) of E z and the neighborhood of 0 the same.
        orthonormal = torch.linalg.qr(E.T).Q.T
        seen = torch.ones(2, 5, dtype=torch.bool)
        prior = memory(torch.zeros(2, 5, 4), codes, factorize(orthonormal, tau=0.0), seen)
        z = torch.randn(2, 5, 8, dtype=torch.float64)
        normal = MultivariateNormal(torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
        torch.testing.assert_close(prior.log_prob(z), normal.log_prob(z @ orthonormal.T), atol=1e-5, rtol=0)
        # For any E the neighborhood is a normal of E z whose covariance is the identity.
        samples = Neighborhood(torch.zeros(8, dtype=torch.float64), memory.memory_scale, factorization)
        covariance = factorization.embedding @ factorization.spreading * samples.scale
        torch.testing.assert_close(covariance @ covariance.T, torch.eye(3, dtype=torch.float64))

    def test_all_weight_is_on_the_null_component(self) -> None:
        factorization = factorize(torch.eye(3, 8), tau=0.0)
        prior = StandardNormalPrior(8, 3)(
            torch.randn(2, 5, 4), torch.randn(2, 5, 8), factorization, torch.ones(2, 5, dtype=torch.bool)
        )
        log_weights = prior.log_weights
        assert log_weights.shape == (2, 5, 6)
        assert (log_weights.exp()[..., 0] == 1).all()
        assert (log_weights.exp()[..., 1:] == 0).all()

    def test_neither_past_nor_actions_change_a_prediction(self, model: TemVae, walk: Walk) -> None:
        model.memory = StandardNormalPrior(model.metric.code_dim, model.metric.rank)
        percepts, actions = walk
        here, elsewhere = model.predict(percepts, actions), model.predict(-percepts, (actions + 1) % 5)
        torch.testing.assert_close(here.percepts, elsewhere.percepts)
        torch.testing.assert_close(here.percepts, here.percepts[:1, :1].expand_as(here.percepts))
        assert (here.novelty == 1).all()

    def test_the_bound_has_finite_gradients(self, model: TemVae, walk: Walk) -> None:
        model.memory = StandardNormalPrior(model.metric.code_dim, model.metric.rank)
        model.elbo(*walk).elbo.mean().backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert len(gradients) > 4
        assert all(gradient.isfinite().all() for gradient in gradients)
        assert model.integrator.rotations.grad is None


class TestLeak:
    @pytest.fixture
    def leaky(self, model: TemVae) -> LeakyTemVae:
        decoder = type(model.decoder)(model.metric.code_dim, 16, (6,), GaussianLikelihood(1.0))
        return LeakyTemVae(
            model.encoder, model.metric, model.integrator, model.memory, decoder, scale=model.scale
        )

    def test_the_kernel_reaches_the_decoder_only_where_it_leaks(
        self, model: TemVae, leaky: LeakyTemVae, walk: Walk
    ) -> None:
        percepts, actions = walk
        E = model.metric.E.detach()
        kernel = torch.linalg.svd(E).Vh[-1]
        for each, changes in ((model, False), (leaky, True)):
            inference = each.infer(percepts, actions)
            z, u = inference.posterior.rsample_with_u()
            as_it_is = each.evaluate_sample(percepts, inference, z, u)
            shifted = each.evaluate_sample(percepts, inference, z + 3 * kernel, u)
            torch.testing.assert_close(shifted.kl, as_it_is.kl, atol=1e-3, rtol=0)
            moved = (shifted.reconstruction - as_it_is.reconstruction).abs().max()
            assert (moved > 0.05) == changes

    def test_a_sample_has_the_kernel_of_its_percept_unblurred(self, leaky: LeakyTemVae, walk: Walk) -> None:
        inference = leaky.infer(*walk)
        kernel = torch.linalg.svd(leaky.metric.E.detach()).Vh[leaky.metric.rank :]
        z, _ = inference.posterior.rsample_with_u()
        torch.testing.assert_close(z @ kernel.T, inference.posterior.center @ kernel.T, atol=1e-5, rtol=0)
