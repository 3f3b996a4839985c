import math

import pytest
import torch

from tem_vae.geometry import Pseudometric
from tem_vae.model import MemoryPrior, WalkPrior
from tem_vae.model.walk_prior import log_memory_weights


@pytest.fixture
def memory() -> MemoryPrior:
    return MemoryPrior(code_dim=4, scale=0.5, initial_precision=10.0, prototypes=3)


def locations(*angles: float) -> torch.Tensor:
    phase = torch.tensor([angles])
    return torch.stack([phase.cos(), phase.sin()], dim=-1)


def prior(memory: MemoryPrior, locations: torch.Tensor) -> WalkPrior:
    codes = torch.randn(*locations.shape[:2], 4)
    seen = torch.ones(locations.shape[:2], dtype=torch.bool)
    return memory(locations, codes, Pseudometric(4, 2, tau=0.1).factorize(), seen)


def test_weights_follow_the_formula(memory: MemoryPrior) -> None:
    with torch.no_grad():
        memory.null_logit.fill_(0.3)
    weights = prior(memory, locations(0.0, 1.0, 0.1)).log_weights.exp()
    background = math.exp(-2.0) / 2
    near = [math.exp(-5 * (2 - 2 * math.cos(angle))) + background for angle in (0.1, 0.9)]
    null = math.exp(0.3 - 0.3 * 10)
    total = null + sum(near)
    expected = torch.tensor([null, *near, 0.0]) / total
    torch.testing.assert_close(weights[0, 2], expected)


def test_weights_are_normalised_and_strictly_causal(memory: MemoryPrior) -> None:
    weights = prior(memory, torch.nn.functional.normalize(torch.randn(3, 9, 8), dim=-1)).log_weights.exp()
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 9))
    assert not weights[..., 1:].triu().any()
    torch.testing.assert_close(weights[:, 0, 0], torch.ones(3))


def test_forgetting_lets_old_memories_fade_in_training_only(memory: MemoryPrior) -> None:
    here = locations(0.0, 0.0, 0.0)
    before = prior(memory, here).log_weights
    memory.forgetting = 1.0
    faded = prior(memory, here).log_weights
    assert faded[0, 2, 1] < faded[0, 2, 2]
    memory.eval()
    torch.testing.assert_close(prior(memory, here).log_weights, before)


def test_an_infinitely_distant_memory_keeps_its_share_of_the_background() -> None:
    near, background, null = torch.tensor([[[-torch.inf, 0.0]]]), torch.tensor(-2.0), torch.tensor(0.0)
    weights = log_memory_weights(near, torch.ones(1, 1, 2), background, null).exp()[0, 0]
    ratio = (weights[1] / weights[2]).item()
    assert ratio == pytest.approx(math.exp(-2) / 2 / (1 + math.exp(-2) / 2))


def test_the_gradient_is_finite_where_nothing_is_remembered(memory: MemoryPrior) -> None:
    prior(memory, locations(0.0, 0.5, 1.0)).log_prob(torch.randn(1, 3, 4)).sum().backward()
    for name, parameter in memory.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_scales_are_positive_multiples_of_the_posterior_scale(memory: MemoryPrior) -> None:
    assert memory.null_scale > memory.memory_scale > memory.scale


@pytest.mark.parametrize("background", [-5.0, -12.0])
def test_float32_is_as_good_as_float64_where_most_shares_are_negligible(background: float) -> None:
    """Nearness differs by up to 200 nats, kernels by hundreds: what is negligible is left out in float32."""
    torch.manual_seed(0)
    memory = MemoryPrior(code_dim=16, scale=1.0, initial_precision=100.0, prototypes=5)
    with torch.no_grad():
        memory.background_logit.fill_(background)
    places = torch.nn.functional.normalize(torch.randn(20, 8), dim=-1)[torch.randint(20, (2, 80))]
    kinds = 6 * torch.randn(10, 16)
    codes = kinds[torch.randint(10, (2, 80))] + 0.5 * torch.randn(2, 80, 16)
    weight, seen = torch.randn(8, 16), torch.ones(2, 80, dtype=torch.bool)
    seen[:, ::7] = False
    found = []
    for dtype in (torch.float32, torch.float64):
        metric = Pseudometric(16, 8, tau=0.1).to(dtype)
        with torch.no_grad():
            metric.weight.copy_(weight)
        given = [each.to(dtype).requires_grad_() for each in (places, codes)]
        density = memory.to(dtype)(*given, metric.factorize(), seen).log_prob(given[1].detach() + 0.3)
        found.append([density.detach(), *torch.autograd.grad(density.mean(), [*given, *memory.parameters()])])
    assert found[1][0].min() < -50, "some codes are far from all others"
    for narrow, wide in zip(*found, strict=True):
        error = (narrow.double() - wide).abs().max()
        assert error < 2e-4 * max(1, wide.abs().max())
