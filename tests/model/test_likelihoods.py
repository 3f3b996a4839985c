"""Densities of percepts are those of torch.distributions."""

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, ContinuousBernoulli, Normal

from tem_vae.model import (
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    GaussianLikelihood,
    Likelihood,
    MlpDecoder,
    TemVae,
)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


OUTPUTS = 2 * draw(3, 2, 5, 7)
UNIT = draw(2, 5, 7, seed=1).sigmoid()


@pytest.mark.parametrize("noise", [0.3, 1.0, 20.0])
@pytest.mark.parametrize("learn", [False, True])
def test_a_gaussian(noise: float, learn: bool) -> None:
    likelihood, percepts = GaussianLikelihood(noise, learn).double(), draw(2, 5, 7, seed=2)
    expected = Normal(OUTPUTS, noise).log_prob(percepts).sum(-1)
    torch.testing.assert_close(likelihood.log_prob(percepts, OUTPUTS), expected, rtol=1e-6, atol=1e-6)
    assert likelihood.mean(OUTPUTS).equal(OUTPUTS)
    assert likelihood.noise.item() == pytest.approx(noise)
    assert len(list(likelihood.parameters())) == learn


def test_a_learned_deviation_goes_where_it_is_likeliest() -> None:
    likelihood, error = GaussianLikelihood(1.0, learn=True).double(), 0.2 * draw(400, 3)
    optimizer = torch.optim.LBFGS(likelihood.parameters(), max_iter=100, tolerance_grad=1e-10)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = -likelihood.log_prob(error, torch.zeros_like(error)).mean()
        value.backward()
        return value

    optimizer.step(loss)
    assert likelihood.noise.item() == pytest.approx(float(error.square().mean().sqrt()), rel=1e-5)


def test_a_bernoulli() -> None:
    likelihood, percepts = BernoulliLikelihood(), (UNIT > 0.5).double()
    expected = Bernoulli(logits=OUTPUTS).log_prob(percepts).sum(-1)
    torch.testing.assert_close(likelihood.log_prob(percepts, OUTPUTS), expected)
    torch.testing.assert_close(likelihood.mean(OUTPUTS), Bernoulli(logits=OUTPUTS).mean)


def test_a_continuous_bernoulli() -> None:
    likelihood = ContinuousBernoulliLikelihood()
    expected = ContinuousBernoulli(logits=OUTPUTS).log_prob(UNIT).sum(-1)
    torch.testing.assert_close(likelihood.log_prob(UNIT, OUTPUTS), expected)
    torch.testing.assert_close(likelihood.mean(OUTPUTS), ContinuousBernoulli(logits=OUTPUTS).mean)


def test_a_continuous_bernoulli_is_a_density_and_the_mean_is_its_own() -> None:
    likelihood = ContinuousBernoulliLikelihood()
    logits = torch.tensor([-8.0, -1.0, 0.0, 1e-4, 0.5, 6.0], dtype=torch.float64)
    grid = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    density = likelihood.log_prob(grid[:, None, None], logits[:, None]).exp()
    torch.testing.assert_close(density.mean(0), torch.ones(6, dtype=torch.float64), rtol=1e-6, atol=0)
    expected = (density * grid[:, None]).mean(0)
    torch.testing.assert_close(likelihood.mean(logits), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("likelihood", "percepts"),
    [
        (GaussianLikelihood(0.7), UNIT),
        (GaussianLikelihood(0.7, learn=True).double(), UNIT),
        (BernoulliLikelihood(), (UNIT > 0.5).double()),
        (ContinuousBernoulliLikelihood(), UNIT),
    ],
)
def test_gradients_are_those_of_the_density(likelihood: Likelihood, percepts: Tensor) -> None:
    outputs = OUTPUTS[0].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda given: likelihood.log_prob(percepts, given), outputs)


@pytest.mark.parametrize("likelihood", [BernoulliLikelihood(), ContinuousBernoulliLikelihood()])
def test_certain_outputs_have_finite_densities_and_gradients(likelihood: Likelihood) -> None:
    outputs = torch.tensor([[-200.0, 200.0, 0.0]]).requires_grad_()
    for percepts in (torch.zeros(1, 3), torch.ones(1, 3)):
        density = likelihood.log_prob(percepts, outputs)
        density.sum().backward()
        assert density.isfinite().all()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
    assert likelihood.mean(outputs.detach()).isfinite().all()


def test_a_model_of_bytes_takes_them_as_they_are(model: TemVae, walk: tuple[Tensor, Tensor]) -> None:
    model.decoder = MlpDecoder(len(model.metric.E), 16, (6,), ContinuousBernoulliLikelihood())
    bytes_, actions = (255 * walk[0].sigmoid()).round().to(torch.uint8), walk[1]
    scaled = bytes_.float() / 255
    assert model.predict(bytes_, actions).percepts.equal(model.predict(scaled, actions).percepts)
    inference = model.infer(bytes_, actions)
    sample = inference.posterior.rsample_with_u()
    found, expected = (
        model.evaluate_sample(percepts, inference, *sample).elbo for percepts in (bytes_, scaled)
    )
    assert found.equal(expected)
    predicted = model.predict(bytes_, actions).percepts
    assert ((predicted >= 0) & (predicted <= 1)).all()
