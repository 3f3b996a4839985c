import pytest
import torch
from torch import Tensor

from tem_vae.model import ElboTerms, TemVae, importance_weighted_bound

Walk = tuple[Tensor, Tensor]


def test_terms_are_finite_and_add_up(model: TemVae, walk: Walk) -> None:
    terms = model.elbo(*walk)
    for term in (terms.reconstruction, terms.log_prior, terms.log_posterior):
        assert term.shape == (2, 12)
        assert term.isfinite().all()
    torch.testing.assert_close(terms.elbo, terms.reconstruction + terms.log_prior - terms.log_posterior)


def test_every_parameter_learns_from_the_bound(model: TemVae, walk: Walk) -> None:
    model.elbo(*walk).elbo.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_the_prior_of_a_step_does_not_depend_on_its_percept_or_a_later_one(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    changed = percepts.clone()
    changed[:, 7:] = torch.randn(2, 5, percepts.shape[-1])
    z = torch.randn(2, 12, 10)
    before = model.infer(percepts, actions).prior.log_prob(z)
    after = model.infer(changed, actions).prior.log_prob(z)
    torch.testing.assert_close(before[:, :8], after[:, :8])
    assert not torch.allclose(before[:, 8:], after[:, 8:])


def test_predictions_do_not_depend_on_the_percept_that_they_predict(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    changed = percepts.clone()
    changed[:, 7:] = torch.randn(2, 5, percepts.shape[-1])
    for before, after in zip(model.predict(percepts, actions), model.predict(changed, actions), strict=True):
        torch.testing.assert_close(before[:, :8], after[:, :8])


def test_the_decoder_sees_nothing_of_the_kernel_of_e(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    inference = model.infer(percepts, actions)
    z, u = inference.posterior.rsample_with_u()
    kernel = torch.linalg.svd(model.metric.E.detach())[2][3:]
    shift = torch.randn(2, 12, 7) @ kernel
    here = model.evaluate_sample(percepts, inference, z, u)
    there = model.evaluate_sample(percepts, inference, z + shift, u)
    torch.testing.assert_close(here.reconstruction, there.reconstruction, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(here.log_prior, there.log_prior, atol=1e-3, rtol=1e-4)


def test_the_gauge_of_the_metric_is_fixed(model: TemVae, walk: Walk) -> None:
    torch.manual_seed(3)
    before = model.elbo(*walk).elbo
    with torch.no_grad():
        model.metric.weight.mul_(7.0)
    torch.manual_seed(3)
    torch.testing.assert_close(model.elbo(*walk).elbo, before, atol=1e-4, rtol=1e-5)


def bound_of(model: TemVae, walk: Walk, samples: int) -> ElboTerms:
    inference = model.infer(*walk)
    return model.evaluate_sample(walk[0], inference, *inference.posterior.rsample_with_u((samples,)))


def test_the_importance_weighted_bound_is_tighter_and_grows_with_samples(model: TemVae, walk: Walk) -> None:
    torch.manual_seed(0)
    log_ratios = bound_of(model, walk, 4000).elbo.detach()
    means = [importance_weighted_bound(log_ratios.reshape(k, -1, 12)).mean() for k in (1, 10, 1000)]
    assert means[0] < means[1] < means[2]


def test_importance_weighting_by_hand() -> None:
    log_ratios = torch.tensor([[[0.0]], [[2.0]]])
    expected = torch.tensor([[((1 + torch.tensor(2.0).exp()) / 2).log()]])
    torch.testing.assert_close(importance_weighted_bound(log_ratios), expected)


def test_the_bound_is_below_the_likelihood_of_a_linear_model() -> None:
    # With one component the exact log p(x) is a Gaussian integral, which a large-K bound must reach.
    torch.manual_seed(0)
    model = linear_model()
    percepts = torch.randn(1, 1, 4)
    actions = torch.zeros(1, 0, dtype=torch.long)
    with torch.no_grad():
        factorization = model.metric.factorize()
        decoder = model.decoder.layers[0]
        spread = decoder.weight @ factorization.embedding @ factorization.spreading
        covariance = model.memory.null_scale**2 * spread @ spread.mT + torch.eye(4)
        exact = torch.distributions.MultivariateNormal(decoder.bias, covariance).log_prob(percepts[0, 0])
        bounds = [
            importance_weighted_bound(bound_of(model, (percepts, actions), 20_000).elbo) for _ in range(20)
        ]
        bounds = torch.stack(bounds).flatten()
    assert abs(bounds.mean() - exact) < 4 * bounds.std() / 20**0.5 + 0.01


def linear_model() -> TemVae:
    from tem_vae.geometry import Pseudometric
    from tem_vae.model import GaussianLikelihood, IdentityEncoder, MemoryPrior, MlpDecoder, PathIntegrator

    decoder = MlpDecoder(2, 3, (4,), GaussianLikelihood(1.0))
    decoder.layers = torch.nn.Sequential(torch.nn.Linear(2, 4))
    metric = Pseudometric(4, 2, tau=0.05, normalize=True)
    return TemVae(
        IdentityEncoder((4,)), metric, PathIntegrator(5, 4, 0.5), MemoryPrior(4, 1.0, 10.0, 0), decoder, 1.0
    )


def test_the_oracle_puts_its_near_weight_on_the_true_place(model: TemVae) -> None:
    places = torch.tensor([[4, 2, 4, 4]])
    factorization = model.metric.factorize()
    codes = torch.randn(1, 4, factorization.code_dim)
    seen = torch.ones(1, 4, dtype=torch.bool)
    weights = model.memory.at_places(places, codes, factorization, seen).log_weights.exp()[0]
    assert weights[2, 1] > 10 * weights[2, 2]
    torch.testing.assert_close(weights[3, 1], weights[3, 3])
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(4, dtype=weights.dtype))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bfloat16_autocast_changes_the_network_but_not_the_geometry(
    model: TemVae, walk: Walk, dtype: torch.dtype
) -> None:
    model.to(dtype)
    percepts, actions = walk[0].to(dtype), walk[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        low = model.infer(percepts, actions)
    high = model.infer(percepts, actions)
    assert low.posterior.center.dtype == dtype
    torch.testing.assert_close(low.prior.log_weights, high.prior.log_weights, atol=1e-5, rtol=1e-5)
    low_volume = low.posterior.factorization.log_volume
    torch.testing.assert_close(low_volume, high.posterior.factorization.log_volume)
