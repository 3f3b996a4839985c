"""Doubts step by step are those along whole walks, and a capacity bounds what they cost."""

import pytest
import torch
from torch import Tensor

from tem_vae.model import BeliefObserver, Expectation, StandardNormalPrior, TemVae

Walk = tuple[Tensor, Tensor]


@pytest.fixture
def model(model: TemVae) -> TemVae:
    """Places are told apart well, so that it matters what happened; the first action leads round eight."""
    with torch.no_grad():
        model.memory.log_precision.fill_(3.0)
        model.memory.null_logit.fill_(3.0)
        model.integrator.rotations[1] = 2 * torch.pi / 8 * torch.arange(1, 9)
    return model.double().eval()


@pytest.fixture
def walk() -> Walk:
    """Two walks round eight places, each with a percept of its own and a little noise; one is missing."""
    generator = torch.Generator().manual_seed(4)
    places = torch.randn(8, 6, generator=generator, dtype=torch.float64)
    percepts = places[torch.arange(40) % 8] + 0.05 * torch.randn(2, 40, 6, generator=generator).double()
    percepts[1, 12, 2] = torch.nan
    actions = torch.ones(2, 39, dtype=torch.long)
    actions[0, 20], actions[1, 30] = 3, 0
    return percepts, actions


def observe_all(observer: BeliefObserver, percepts: Tensor, actions: Tensor) -> list[Expectation]:
    torch.manual_seed(7)
    steps = [observer.observe(percepts[..., 0, :])]
    for t in range(actions.shape[-1]):
        steps.append(observer.observe(percepts[..., t + 1, :], actions[..., t]))
    return steps


def test_every_step_equals_the_whole_walk(model: TemVae, walk: Walk) -> None:
    torch.manual_seed(7)
    prediction = model.predict(*walk, hypotheses=6, slip_rate=0.1, persistence=0)
    whole = prediction.belief
    assert whole is not None
    observer = BeliefObserver(model, hypotheses=6, slip_rate=0.1)
    torch.manual_seed(7)
    for t in range(40):
        step = observer.observe(walk[0][:, t], walk[1][:, t - 1] if t else None)
        torch.testing.assert_close(step.memory_weights, prediction.memory_weights[:, t, :t])
        torch.testing.assert_close(step.novelty, prediction.novelty[:, t])
        torch.testing.assert_close(step.percept, prediction.percepts[:, t])
        believed = observer.believed
        for name in ("location", "spread", "entropy", "log_evidence"):
            torch.testing.assert_close(getattr(believed, name), getattr(whole, name)[:, t])
        if t:
            torch.testing.assert_close(believed.wrong, whole.wrong[:, t - 1])
    torch.testing.assert_close(observer.log_weights, whole.log_weights)
    assert torch.equal(observer.actions, whole.actions)
    assert torch.equal(observer.best_actions, whole.best_actions)


def test_the_wrong_action_is_found(model: TemVae, walk: Walk) -> None:
    observer = BeliefObserver(model, hypotheses=16, slip_rate=0.1)
    observe_all(observer, *walk)
    assert torch.equal(observer.best_actions[0], torch.ones(39, dtype=torch.long))


def test_a_single_walk_needs_no_batch_axis(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    several = observe_all(BeliefObserver(model, 6, 0.1), percepts[:1], actions[:1])
    observer = BeliefObserver(model, 6, 0.1)
    alone = observe_all(observer, percepts[0], actions[0])
    assert alone[-1].novelty.shape == observer.believed.wrong.shape == ()
    assert observer.log_weights.shape == (96,)
    torch.testing.assert_close(alone[-1].percept, several[-1].percept[0])


def test_expecting_changes_nothing_and_foretells_what_observing_returns(model: TemVae, walk: Walk) -> None:
    observer = BeliefObserver(model, 6, 0.1)
    observe_all(observer, walk[0][:, :20], walk[1][:, :19])
    before = observer.log_weights
    imagined = [observer.expect(action) for action in range(5)]
    assert torch.equal(observer.log_weights, before)
    real = observer.observe(walk[0][:, 20], 3)
    for foretold, observed in zip(imagined[3], real, strict=True):
        assert torch.equal(foretold, observed)


def test_reset_begins_another_walk(model: TemVae, walk: Walk) -> None:
    observer = BeliefObserver(model, 6, 0.1)
    once = observe_all(observer, *walk)[-1]
    observer.reset()
    assert torch.equal(once.percept, observe_all(observer, *walk)[-1].percept)


class TestCapacity:
    def test_memory_is_bounded_and_every_percept_counted(self, model: TemVae, walk: Walk) -> None:
        observer = BeliefObserver(model, 6, 0.1, capacity=12)
        for n, step in enumerate(observe_all(observer, *walk)):
            assert step.memory_weights.shape[-1] == min(n, step.memory_weights.shape[-1]) <= 12
            assert 1 - 1e-9 < step.memory_weights.sum(-1).min() + step.novelty.max() < 2
        assert observer.counts.sum(-1).tolist() == [40, 39]
        assert observer.actions.shape == (2, 96, 12)

    def test_below_the_capacity_nothing_changes(self, model: TemVae, walk: Walk) -> None:
        bounded = observe_all(BeliefObserver(model, 6, 0.1, capacity=40), *walk)
        for one, other in zip(bounded, observe_all(BeliefObserver(model, 6, 0.1), *walk), strict=True):
            assert torch.equal(one.percept, other.percept)

    def test_merged_memories_expect_what_all_together_did(self, model: TemVae, walk: Walk) -> None:
        bounded, free = BeliefObserver(model, 16, 0.1, capacity=20), BeliefObserver(model, 16, 0.1)
        last = [observe_all(observer, *walk)[-1] for observer in (bounded, free)]
        torch.testing.assert_close(last[0].novelty, last[1].novelty, atol=0.05, rtol=0)
        torch.testing.assert_close(last[0].percept, last[1].percept, atol=0.1, rtol=0)

    def test_too_small_a_capacity_is_refused(self, model: TemVae) -> None:
        with pytest.raises(ValueError, match="at least 4 memories, but it is 3"):
            BeliefObserver(model, 6, 0.1, capacity=3)


def test_what_does_not_fit_is_refused(model: TemVae, walk: Walk) -> None:
    observer = BeliefObserver(model, 6, 0.1)
    with pytest.raises(ValueError, match="begins with its first percept"):
        observer.expect(1)
    with pytest.raises(ValueError, match="no action leads to the first percept"):
        observer.observe(walk[0][:, 0], 1)
    observer.observe(walk[0][:, 0])
    with pytest.raises(ValueError, match="an action leads from one percept to the next"):
        observer.observe(walk[0][:, 1])
    with pytest.raises(ValueError, match="from 0 to 4, but one is 9"):
        observer.observe(walk[0][:, 1], 9)
    with pytest.raises(ValueError, match="as the first one of this walk"):
        observer.observe(walk[0][0, 1], 1)
    with pytest.raises(ValueError, match="what share of the actions"):
        BeliefObserver(model, 6)


def test_a_model_without_memory_has_no_belief(model: TemVae, walk: Walk) -> None:
    model.memory = StandardNormalPrior(model.metric.code_dim, model.metric.rank)
    with pytest.raises(ValueError, match="no memory"):
        BeliefObserver(model, 6, 0.1).observe(walk[0][:, 0])
