"""Step by step and all at once are the same."""

import pytest
import torch
from torch import Tensor

from tem_vae.model import Expectation, Observer, StandardNormalPrior, TemVae

Walk = tuple[Tensor, Tensor]


def observe_all(observer: Observer, percepts: Tensor, actions: Tensor) -> list[Expectation]:
    """Percepts (*batch, time, percept_dim) and actions (*batch, time - 1), one step after the other."""
    first = [observer.observe(percepts[..., 0, :])]
    steps = range(actions.shape[-1])
    return first + [observer.observe(percepts[..., t + 1, :], actions[..., t]) for t in steps]


def assert_equals_batch(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    prediction = model.predict(percepts, actions)
    for t, step in enumerate(observe_all(Observer(model), percepts, actions)):
        assert step.memory_weights.shape == (*percepts.shape[:-2], t)
        torch.testing.assert_close(
            step.memory_weights, prediction.memory_weights[:, t, :t], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(step.novelty, prediction.novelty[:, t], atol=1e-5, rtol=0)
        torch.testing.assert_close(step.percept, prediction.percepts[:, t], atol=1e-5, rtol=0)


def test_every_step_equals_the_batch(model: TemVae, walk: Walk) -> None:
    assert_equals_batch(model.eval(), walk)


def test_every_step_equals_the_batch_without_memory(model: TemVae, walk: Walk) -> None:
    model.memory = StandardNormalPrior(model.metric.code_dim, model.metric.rank)
    assert_equals_batch(model.eval(), walk)


def test_a_long_walk_does_not_drift(model: TemVae) -> None:
    generator = torch.Generator().manual_seed(2)
    percepts = torch.randn(1, 300, 6, generator=generator)
    assert_equals_batch(model.eval(), (percepts, torch.randint(5, (1, 299), generator=generator)))


def test_rounding_does_not_decide_between_memories_of_one_place(model: TemVae) -> None:
    """Exact inverses bring a walk back to the same location: its memories weigh the same but for rounding."""
    with torch.no_grad():
        rotations = model.integrator.rotations
        rotations[0] = 0
        rotations[2], rotations[4] = -rotations[1], -rotations[3]
        model.memory.log_memory_scale_ratio.fill_(-2)  # memories apart, as those of a trained model
        model.memory.null_logit.fill_(-20)
    generator = torch.Generator().manual_seed(3)
    percepts = torch.randn(4, 60, 6, generator=generator)
    assert_equals_batch(model.eval(), (percepts, torch.randint(5, (4, 59), generator=generator)))


def test_a_single_walk_needs_no_batch_axis(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    several = observe_all(Observer(model.eval()), percepts, actions)
    observer = Observer(model)
    observer.observe(percepts[0, 0])
    for t, action in enumerate(actions[0].tolist()):
        alone = observer.observe(percepts[0, t + 1], action)
        assert alone.novelty.shape == ()
        torch.testing.assert_close(alone.percept, several[t + 1].percept[0], atol=1e-5, rtol=0)


def test_expecting_changes_nothing_and_foretells_what_observing_returns(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    observer = Observer(model.eval())
    observer.observe(percepts[:, 0])
    observer.observe(percepts[:, 1], actions[:, 0])
    before = observer.location.clone()
    imagined = [observer.expect(action) for action in range(5)]
    torch.testing.assert_close(observer.location, before)
    real = observer.observe(percepts[:, 2], 3)
    for foretold, observed in zip(imagined[3], real, strict=True):
        assert torch.equal(foretold, observed)
    assert not torch.allclose(imagined[2].memory_weights, imagined[3].memory_weights)


def test_an_expectation_knows_nothing_of_the_percept_it_is_about(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    observer, other = Observer(model.eval()), Observer(model)
    for each in (observer, other):
        each.observe(percepts[:, 0])
    as_it_is = observer.observe(percepts[:, 1], actions[:, 0])
    otherwise = other.observe(-percepts[:, 1], actions[:, 0])
    assert torch.equal(as_it_is.percept, otherwise.percept)


def test_reset_begins_another_walk(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    observer = Observer(model.eval())
    once = observe_all(observer, percepts, actions)[-1]
    observer.reset()
    again = observe_all(observer, percepts, actions)[-1]
    assert torch.equal(once.percept, again.percept)


def test_nothing_carries_gradients(model: TemVae, walk: Walk) -> None:
    assert not Observer(model.eval()).observe(walk[0][:, 0]).percept.requires_grad


def returning_walk(steps: int) -> Walk:
    """Round and round eight places by one action, each with a percept of its own and a little noise."""
    generator = torch.Generator().manual_seed(4)
    places = torch.randn(8, 6, generator=generator)
    noise = 0.05 * torch.randn(1, steps, 6, generator=generator)
    return places[torch.arange(steps) % 8] + noise, torch.ones(1, steps - 1, dtype=torch.long)


class TestCapacity:
    @pytest.fixture
    def model(self, model: TemVae) -> TemVae:
        """Its first action leads round a ring of eight."""
        with torch.no_grad():
            model.integrator.rotations[1] = 2 * torch.pi / 8 * torch.arange(1, 9)
            model.memory.log_precision.fill_(4)
        return model.eval()

    def test_memory_is_bounded_and_every_percept_counted(self, model: TemVae) -> None:
        observer = Observer(model, capacity=20)
        percepts, actions = returning_walk(200)
        for n, step in enumerate(observe_all(observer, percepts, actions)):
            assert step.memory_weights.shape[-1] == min(n, step.memory_weights.shape[-1]) <= 20
            # What the background weighs is in both.
            assert 1 - 1e-5 < step.memory_weights.sum(-1) + step.novelty < 2
        assert observer.counts.sum() == 200

    def test_below_the_capacity_nothing_changes(self, model: TemVae) -> None:
        percepts, actions = returning_walk(20)
        bounded = observe_all(Observer(model, capacity=20), percepts, actions)
        for one, other in zip(bounded, observe_all(Observer(model), percepts, actions), strict=True):
            assert torch.equal(one.percept, other.percept)

    def test_merged_memories_expect_what_all_together_did(self, model: TemVae) -> None:
        percepts, actions = returning_walk(200)
        merged = observe_all(Observer(model, capacity=20), percepts, actions)
        whole = observe_all(Observer(model), percepts, actions)
        for one, other in zip(merged[100:], whole[100:], strict=True):
            torch.testing.assert_close(one.novelty, other.novelty, atol=1e-3, rtol=0)
            torch.testing.assert_close(one.percept, other.percept, atol=0.05, rtol=0)

    def test_walks_side_by_side_are_merged_each_on_its_own(self, model: TemVae) -> None:
        percepts, actions = returning_walk(60)
        both = torch.cat([percepts, percepts.flip(1)])
        together = observe_all(Observer(model, capacity=12), both, actions.expand(2, -1))
        alone = observe_all(Observer(model, capacity=12), percepts.flip(1), actions)
        torch.testing.assert_close(together[-1].percept[1:], alone[-1].percept, atol=1e-5, rtol=0)

    def test_too_small_a_capacity(self, model: TemVae) -> None:
        with pytest.raises(ValueError, match="at least 4 memories, but it is 3"):
            Observer(model, capacity=3)


class TestMistakes:
    @pytest.fixture
    def observer(self, model: TemVae, walk: Walk) -> Observer:
        observer = Observer(model.eval())
        observer.observe(walk[0][:, 0])
        return observer

    def test_an_action_before_the_first_percept(self, model: TemVae, walk: Walk) -> None:
        with pytest.raises(ValueError, match=r"no action leads to the first percept.*but action is 2"):
            Observer(model).observe(walk[0][:, 0], 2)

    def test_expecting_before_anything_was_observed(self, model: TemVae) -> None:
        with pytest.raises(ValueError, match="nothing was observed yet"):
            Observer(model).expect(1)
        with pytest.raises(ValueError, match="begins with its first percept"):
            _ = Observer(model).location

    def test_a_step_without_an_action(self, observer: Observer, walk: Walk) -> None:
        with pytest.raises(ValueError, match="give the one that led here, or call reset"):
            observer.observe(walk[0][:, 1])

    @pytest.mark.parametrize("action", [-1, 5])
    def test_an_action_that_does_not_exist(self, observer: Observer, action: int) -> None:
        with pytest.raises(ValueError, match=f"whole numbers from 0 to 4, but one is {action}"):
            observer.expect(action)

    @pytest.mark.parametrize("action", [1.0, True])
    def test_an_action_that_is_no_whole_number(self, observer: Observer, action: float) -> None:
        with pytest.raises(ValueError, match=r"whole numbers.*but are in torch\.(float32|bool)"):
            observer.expect(action)

    def test_percepts_in_another_precision(self, observer: Observer, walk: Walk) -> None:
        with pytest.raises(ValueError, match=r"a tensor of torch\.float32.*but are of torch\.float64"):
            observer.observe(walk[0][:, 1].double(), 0)

    def test_actions_of_another_batch(self, observer: Observer) -> None:
        with pytest.raises(ValueError, match=r"have the batch shape \(2\), but its shape is \(3,\)"):
            observer.expect(torch.tensor([0, 1, 2]))

    def test_percepts_of_another_batch(self, observer: Observer, walk: Walk) -> None:
        with pytest.raises(ValueError, match=r"must have shape \(2, 6\).*shape is \(6,\)"):
            observer.observe(walk[0][0, 1], 0)
