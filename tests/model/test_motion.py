"""Noise of real-valued actions is a neighborhood of phases, and a belief follows it."""

import math

import pytest
import torch

from tem_vae.model import Belief, BeliefObserver, LinearIntegrator, TemVae
from tem_vae.model.motion import MotionNoise
from tem_vae.model.path_integration import locate
from tem_vae.model.places import Places


@pytest.fixture
def model(model: TemVae) -> TemVae:
    """Actions are displacements in a plane."""
    torch.manual_seed(3)
    model.integrator = LinearIntegrator(2, 8, 1.0)
    with torch.no_grad():
        model.memory.log_precision.fill_(3.0)
        model.memory.null_logit.fill_(3.0)
    return model.double().eval()


@pytest.fixture
def walk() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Percepts, recorded actions and what happened on two walks round a square."""
    generator = torch.Generator().manual_seed(1)
    corners = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    percepts = corners[torch.arange(30) % 4].expand(2, -1, -1)
    square = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, -1]], dtype=torch.float64)
    happened = square[torch.arange(29) % 4].expand(2, -1, -1)
    noise = 0.1 * torch.randn(2, 29, 2, generator=generator, dtype=torch.float64)
    return percepts, happened + noise, happened


def test_phases_are_those_of_the_actions_and_deviate_as_noise_says(model: TemVae) -> None:
    motion, phases = MotionNoise(0.2).double(), torch.zeros(1, 1, 8, dtype=torch.float64)
    here = Places(locate(phases, torch.float64), torch.zeros(1, 5000, dtype=torch.long))
    recorded = torch.tensor([[0.3, -0.5]], dtype=torch.float64)
    there, actions, log_prob, *_ = motion.branch(
        model.integrator, here, recorded, torch.Generator().manual_seed(0), None
    )
    torch.testing.assert_close(there.each.phases, actions @ model.integrator.turning.mT)
    off = (actions - recorded).flatten(0, 2)
    torch.testing.assert_close(off.T.cov(), 0.04 * torch.eye(2).double(), atol=0.002, rtol=0)
    torch.testing.assert_close(log_prob.exp().sum(-1), torch.ones(1, 5000).double())


def test_its_density_is_normal() -> None:
    motion = MotionNoise(0.2)
    found = motion.log_prob(torch.tensor([0.1, 0.0]), torch.tensor([0.0, 0.3]))
    expected = -2 * math.log(0.2 * math.sqrt(2 * math.pi)) - 0.5 * (0.01 + 0.09) / 0.04
    assert found.item() == pytest.approx(expected)


def test_without_noise_nothing_is_doubted(model: TemVae, walk: tuple[torch.Tensor, ...]) -> None:
    percepts, recorded, _ = walk
    told = model.predict(percepts, recorded)
    doubted = model.predict(percepts, recorded, hypotheses=4, motion_noise=1e-9)
    torch.testing.assert_close(doubted.memory_weights, told.memory_weights, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(doubted.novelty, told.novelty, rtol=1e-5, atol=1e-6)


def test_it_knows_better_where_it_is_than_it_is_told(model: TemVae, walk: tuple[torch.Tensor, ...]) -> None:
    percepts, recorded, happened = walk
    torch.manual_seed(0)
    true, told = model.integrator(happened), model.integrator(recorded)
    off = []
    for _ in range(8):
        belief = model.predict(percepts, recorded, hypotheses=64, motion_noise=0.1).belief
        assert belief is not None
        assert belief.actions.shape == (2, 64, 29, 2)
        off.append((belief.location - true)[:, 15:].square().mean())
    # 0.47 of it over many draws, and the mean of 8 deviates by 0.04.
    assert torch.stack(off).mean() < 0.6 * (told - true)[:, 15:].square().mean()


def test_step_by_step_is_the_whole_walk(model: TemVae, walk: tuple[torch.Tensor, ...]) -> None:
    percepts, recorded, _ = walk
    torch.manual_seed(0)
    whole = model.predict(percepts, recorded, hypotheses=6, motion_noise=0.1)
    assert whole.belief is not None
    torch.manual_seed(0)
    observer = BeliefObserver(model, 6, motion_noise=0.1)
    for t in range(30):
        if t:
            imagined = observer.expect(recorded[:, t - 1])
        step = observer.observe(percepts[:, t], recorded[:, t - 1] if t else None)
        assert not t or torch.equal(step.novelty, imagined.novelty)
        torch.testing.assert_close(step.novelty, whole.novelty[:, t])
    torch.testing.assert_close(observer.actions, whole.belief.actions)
    torch.testing.assert_close(observer.log_weights, whole.belief.log_weights)


def test_more_hypotheses_tighten_the_evidence(model: TemVae, walk: tuple[torch.Tensor, ...]) -> None:
    """Its expectation is the same, and so its logarithm is closer to the bound from below."""
    percepts, recorded = walk[0][:, :8].expand(2, -1, -1), walk[1][:, :7]
    told, means = model.infer(percepts, recorded), []
    for hypotheses in (4, 400):
        torch.manual_seed(0)
        belief = Belief(MotionNoise(0.1).double(), hypotheses, samples=4)
        evidence = [model.believe(belief, percepts, recorded, told).log_evidence.sum(1) for _ in range(20)]
        means.append(torch.stack(evidence).mean())
    assert means[1] > means[0]


def test_what_is_of_other_actions_is_refused(model: TemVae, walk: tuple[torch.Tensor, ...]) -> None:
    with pytest.raises(ValueError, match="those of this model are real-valued"):
        model.predict(*walk[:2], hypotheses=4, slip_rate=0.1)
    with pytest.raises(ValueError, match="how far off actions may be"):
        model.predict(*walk[:2], hypotheses=4)
    with pytest.raises(ValueError, match="above 0, but it is -1"):
        model.predict(*walk[:2], hypotheses=4, motion_noise=-1)
