"""Slips of walkers that go straight on: a path's probability is that of Bayes' rule, written out."""

import math
from itertools import product

import pytest
import torch

from tem_vae.model import ActionSlips, Belief, BeliefObserver, PersistentSlips, TemVae
from tem_vae.model.hypotheses import Draws
from tem_vae.model.persistent_slips import estimate_persistence

ACTIONS, STEPS = 5, 5


@pytest.fixture
def model(model: TemVae) -> TemVae:
    with torch.no_grad():
        model.memory.log_precision.fill_(3.0)
        model.memory.null_logit.fill_(3.0)
    return model.double().eval()


@pytest.fixture
def slips() -> PersistentSlips:
    return PersistentSlips(ACTIONS, 0.3, 0.8).double()


@pytest.fixture
def every_path() -> torch.Tensor:
    return torch.tensor(list(product(range(ACTIONS), repeat=STEPS)))


def log_posterior(slips: PersistentSlips, paths: torch.Tensor, recorded: torch.Tensor) -> torch.Tensor:
    """Log p(a | r) of all paths, by summing over all of them."""
    transitions = 0.8 * torch.eye(ACTIONS).double() + 0.2 / ACTIONS
    table = 0.7 * torch.eye(ACTIONS).double() + 0.3 / ACTIONS
    joint = torch.full((len(paths),), -math.log(ACTIONS), dtype=torch.float64)
    joint = (
        joint + transitions[paths[:, :-1], paths[:, 1:]].log().sum(1) + table[paths, recorded].log().sum(1)
    )
    return joint - joint.logsumexp(0)


def test_paths_are_as_probable_as_by_bayes_rule(slips: PersistentSlips, every_path: torch.Tensor) -> None:
    recorded = torch.tensor([[1, 1, 2, 1, 3]])
    found = slips.log_prob(every_path, recorded.expand_as(every_path)).sum(-1)
    torch.testing.assert_close(found, log_posterior(slips, every_path, recorded))


def test_a_break_of_a_run_is_doubted(slips: PersistentSlips) -> None:
    recorded = torch.tensor([[1, 1, 2, 1, 1]])
    went_on = slips.log_prob(torch.ones(1, 5, dtype=torch.long), recorded).sum()
    assert went_on > slips.log_prob(recorded, recorded).sum()


def test_rate_and_persistence_are_learned_from_what_happened() -> None:
    """Of actions that always go on and are recorded rightly, both become more of what they are."""
    slips = PersistentSlips(ACTIONS, 0.3, 0.5)
    happened = torch.ones(1, 20, dtype=torch.long)
    slips.log_prob(happened, happened).sum().backward()
    assert slips.logit.grad is not None
    assert slips.logit.grad > 0
    gradient = slips.recorded.logits.grad
    assert gradient is not None
    assert gradient.isfinite().all()


def test_a_belief_with_room_for_all_paths_is_exact(
    model: TemVae, slips: PersistentSlips, every_path: torch.Tensor
) -> None:
    generator = torch.Generator().manual_seed(1)
    percepts = torch.randn(1, STEPS + 1, 6, generator=generator, dtype=torch.float64)
    recorded = torch.tensor([[1, 1, 2, 1, 3]])
    belief = Belief(slips, ACTIONS**STEPS, samples=1)
    told = model.infer(percepts, recorded)
    torch.manual_seed(5)
    trace = model.believe(belief, percepts, recorded, told)
    torch.manual_seed(5)
    draws, factorization = Draws(percepts.device), told.posterior.factorization
    samples = [
        model.sample(belief, percepts[:, t], told.codes[:, t], factorization, draws) for t in range(STEPS + 1)
    ]
    whitened = torch.stack([of_step.whitened[:, 0] for of_step in samples], dim=1)
    log_ratios = torch.stack([of_step.log_ratios[0, 0] for of_step in samples])
    with torch.no_grad():
        prior = model.infer(percepts.expand(len(every_path), -1, -1), every_path).prior
        evidence = (log_ratios + prior.log_prob_whitened(whitened.expand(len(every_path), -1, -1))).sum(-1)
    joint = log_posterior(slips, every_path, recorded) + evidence
    torch.testing.assert_close(trace.log_evidence.sum(), joint.logsumexp(0))
    assert torch.equal(trace.best_actions[0], every_path[joint.argmax()])


def test_step_by_step_is_the_whole_walk(model: TemVae) -> None:
    generator = torch.Generator().manual_seed(1)
    percepts = torch.randn(2, 15, 6, generator=generator, dtype=torch.float64)
    recorded = torch.randint(ACTIONS, (2, 14), generator=generator)
    torch.manual_seed(0)
    whole = model.predict(percepts, recorded, hypotheses=6, slip_rate=0.2, persistence=0.7).belief
    assert whole is not None
    torch.manual_seed(0)
    observer = BeliefObserver(model, 6, 0.2, persistence=0.7)
    for t in range(15):
        observer.observe(percepts[:, t], recorded[:, t - 1] if t else None)
    torch.testing.assert_close(observer.log_weights, whole.log_weights)
    assert torch.equal(observer.actions, whole.actions)


def recorded_runs(rate: float, persistence: float, generator: torch.Generator) -> torch.Tensor:
    """What is recorded of walkers as `PersistentSlips` describes them, (walks, steps)."""
    walks, steps = 50, 400
    chosen = torch.randint(ACTIONS, (walks, steps), generator=generator)
    turns = torch.rand(walks, steps, generator=generator) > persistence
    turns[:, 0] = True
    since = torch.where(turns, torch.arange(steps), 0).cummax(dim=1).values
    replaced = torch.rand(walks, steps, generator=generator) < rate
    anything = torch.randint(ACTIONS, (walks, steps), generator=generator)
    return torch.where(replaced, anything, chosen.gather(1, since))


@pytest.mark.parametrize(("rate", "persistence"), [(0.01, 0.0), (0.1, 0.5), (0.3, 0.8)])
def test_persistence_is_estimated_from_what_was_recorded(rate: float, persistence: float) -> None:
    """Its standard error over 20,000 pairs is about .004/(1 − rate)², so .03 is more than three of them."""
    recorded = recorded_runs(rate, persistence, torch.Generator().manual_seed(0))
    assert abs(estimate_persistence(recorded, ACTIONS, rate) - persistence) < 0.03


def test_steps_after_the_end_of_a_walk_are_not_counted() -> None:
    recorded = torch.tensor([[1, 1, 2, 2, -1, -1, -1], [3, 3, 4, 4, -1, -1, -1]])
    assert estimate_persistence(recorded, ACTIONS, 0.1) == estimate_persistence(recorded[:, :4], ACTIONS, 0.1)


@pytest.mark.parametrize("recorded", [[[1]], [[1, 2, 3, 4]], [[1, -1, 1, -1]]])
def test_without_runs_steps_are_independent(model: TemVae, recorded: list[list[int]]) -> None:
    belief = model.doubt(4, 0.1, recorded=torch.tensor(recorded))
    assert isinstance(belief.slips, ActionSlips)


def test_what_is_said_of_persistence_comes_first(model: TemVae) -> None:
    """Then what was learned, then what was recorded."""
    runs = torch.ones(1, 20, dtype=torch.long)

    def persistence(**said: float) -> float:
        slips = model.doubt(4, 0.1, **said, recorded=runs).slips
        return slips.persistence.item() if isinstance(slips, PersistentSlips) else 0.0

    assert persistence() == pytest.approx(0.99)
    assert persistence(persistence=0) == 0
    assert persistence(persistence=0.3) == pytest.approx(0.3)
    model.belief = Belief(PersistentSlips(ACTIONS, 0.2, 0.6), 4, samples=1)
    assert persistence() == pytest.approx(0.6)
    assert persistence(persistence=0.3) == pytest.approx(0.3)


@pytest.mark.parametrize("persistence", [1, -0.5, "0.5"])
def test_persistence_out_of_range_is_refused(model: TemVae, persistence: float) -> None:
    with pytest.raises(ValueError, match="at least 0 and below 1, but it is"):
        model.doubt(4, 0.1, persistence=persistence)


def test_persistence_alone_is_refused(model: TemVae) -> None:
    with pytest.raises(ValueError, match="together with slip_rate"):
        model.doubt(4, persistence=0.5)
