"""A belief is what Bayes' rule makes of all that may have happened, and its evidence has no bias."""

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from tem_vae.model import ActionSlips, Belief, BeliefTrace, LinearIntegrator, StandardNormalPrior, TemVae
from tem_vae.model.belief import Samples
from tem_vae.model.belief_rows import RepeatedRows
from tem_vae.model.hypotheses import Draws

Walk = tuple[Tensor, Tensor]
ACTIONS, SAMPLES = 5, 2


@pytest.fixture
def model(model: TemVae) -> TemVae:
    """Places are told apart well, so that it matters what happened."""
    with torch.no_grad():
        model.memory.log_precision.fill_(3.0)
        model.memory.null_logit.fill_(3.0)
    return model.double().eval()


@pytest.fixture
def walk() -> Walk:
    """One walk of 6 steps that may have been at two places in turn."""
    generator = torch.Generator().manual_seed(1)
    places = torch.randn(2, 6, generator=generator, dtype=torch.float64)
    noise = 0.1 * torch.randn(6, 6, generator=generator, dtype=torch.float64)
    return (places[torch.arange(6) % 2] + noise)[None], torch.tensor([[1, 2, 1, 0, 1]])


def followed(model: TemVae, walk: Walk, hypotheses: int, rate: float = 0.3) -> BeliefTrace:
    """What is believed, with posterior samples that are always the same."""
    belief = Belief(ActionSlips(ACTIONS, rate).double(), hypotheses, SAMPLES)
    torch.manual_seed(5)
    return model.believe(belief, *walk, model.infer(*walk))


def samples_of(model: TemVae, walk: Walk, count: int = SAMPLES) -> list[Samples]:
    """The posterior samples of every step that a belief draws after this seed."""
    torch.manual_seed(5)
    told, draws = model.infer(*walk), Draws(torch.device("cpu"))
    belief = Belief(ActionSlips(ACTIONS, 0.3), 2, count)
    factorization = told.posterior.factorization
    return [
        model.sample(belief, walk[0][:, step], told.codes[:, step], factorization, draws)
        for step in range(walk[0].shape[1])
    ]


def evidence_of_paths(model: TemVae, walk: Walk, paths: Tensor, count: int = SAMPLES) -> Tensor:
    """Log p(x_t | past) if a path happened, with the same samples, (paths, time)."""
    samples = samples_of(model, walk, count)
    whitened = torch.cat([of_step.whitened for of_step in samples]).movedim(1, 0)  # (samples, time, M)
    log_ratios = torch.cat([of_step.log_ratios for of_step in samples]).mT
    prior = model.infer(walk[0].expand(len(paths), -1, -1), paths).prior
    log_prior = prior.log_prob_whitened(whitened.unsqueeze(1).expand(-1, len(paths), -1, -1))
    return (log_ratios.unsqueeze(1) + log_prior).logsumexp(0) - math.log(count)


def log_prior(paths: Tensor, recorded: Tensor, rate: float = 0.3) -> Tensor:
    slips = ActionSlips(ACTIONS, rate).double()
    return slips.log_prob(paths, recorded.expand_as(paths)).sum(-1)


@pytest.fixture
def every_path() -> Tensor:
    return torch.tensor(list(product(range(ACTIONS), repeat=5)))


class TestAgainstEnumeration:
    @pytest.fixture
    def joint(self, model: TemVae, walk: Walk, every_path: Tensor) -> Tensor:
        """Log p(path, x_1..x_6 | recorded) of all 3,125 paths."""
        with torch.no_grad():
            evidence = evidence_of_paths(model, walk, every_path)
        return log_prior(every_path, walk[1]) + evidence.sum(-1)

    def test_with_room_for_all_it_is_exact(
        self, model: TemVae, walk: Walk, joint: Tensor, every_path: Tensor
    ) -> None:
        trace = followed(model, walk, hypotheses=ACTIONS**5)
        torch.testing.assert_close(trace.log_evidence.sum(), joint.logsumexp(0))
        posterior = joint.softmax(0)
        wrong = ((every_path[:, -1] != walk[1][0, -1]) * posterior).sum()
        torch.testing.assert_close(trace.wrong[0, -1], wrong)
        locations = torch.stack([model.integrator(path[None])[0, -1] for path in every_path])
        mean = (posterior[:, None] * locations).sum(0)
        torch.testing.assert_close(trace.location[0, -1], mean)
        spread = (posterior * (locations - mean).square().sum(-1)).sum()
        torch.testing.assert_close(trace.spread[0, -1], spread)
        assert torch.equal(trace.best_actions[0], every_path[joint.argmax()])

    @pytest.mark.parametrize("hypotheses", [2, 5])
    def test_the_expectation_of_its_evidence_is_exact(
        self, model: TemVae, walk: Walk, joint: Tensor, hypotheses: int
    ) -> None:
        """Posterior samples are fixed; what is random is which hypotheses are kept."""
        repetitions = 1000
        percepts, recorded = (tensor.expand(repetitions, *tensor.shape[1:]) for tensor in walk)
        belief = Belief(ActionSlips(ACTIONS, 0.3).double(), hypotheses, SAMPLES)
        samples = [
            Samples(*(of_step.expand(repetitions, *of_step.shape[1:]) for of_step in both))
            for both in samples_of(model, walk)
        ]
        prior = model.infer(percepts, recorded).prior
        draws = Draws(torch.device("cpu"))
        trace = belief(recorded, model.integrator, model.memory, prior, samples, draws, evenly=False)
        ratio = (trace.log_evidence.sum(-1) - joint.logsumexp(0)).exp()
        assert ratio.std() > 1e-3
        assert abs(ratio.mean() - 1) < 4 * ratio.std() / repetitions**0.5


def test_it_agrees_with_ten_thousand_particles(model: TemVae) -> None:
    """On a walk too long to write out all that may have happened: 5^9 paths."""
    generator = torch.Generator().manual_seed(2)
    places = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    walk = places[torch.arange(10) % 3][None], torch.randint(ACTIONS, (1, 9), generator=generator)
    table = ActionSlips(ACTIONS, 0.3).log_table.exp()[walk[1][0]]
    torch.manual_seed(3)
    drawn = torch.multinomial(table, 10_000, replacement=True).mT
    paths, counts = drawn.unique(dim=0, return_counts=True)
    with torch.no_grad():
        evidence = evidence_of_paths(model, walk, paths).sum(-1)
    share = (evidence - evidence.max()).exp()
    mean = (counts * share).sum() / 10_000
    error = ((counts * (share - mean).square()).sum() / 10_000**2).sqrt() / mean
    found = torch.stack([followed(model, walk, hypotheses=200).log_evidence.sum() for _ in range(3)])
    assert abs(found.mean() - evidence.max() - mean.log()) < 4 * error + 0.02
    assert error < 0.1


def test_without_slips_it_is_the_model_without_a_belief(model: TemVae, walk: Walk) -> None:
    told = model.infer(*walk).prior
    trace = followed(model, walk, hypotheses=3, rate=1e-30)
    torch.testing.assert_close(trace.prior.log_weights.exp(), told.log_weights.exp(), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(trace.prior.novelty, told.novelty)
    torch.testing.assert_close(trace.prior.mode, told.mode)
    w = torch.randn(4, 1, 6, len(model.metric.E), dtype=torch.float64)
    torch.testing.assert_close(trace.prior.log_prob_whitened(w), told.log_prob_whitened(w))
    assert trace.wrong.max() < 1e-25
    assert trace.spread.max() < 1e-12
    assert torch.equal(trace.best_actions, walk[1])


def test_what_is_expected_is_what_the_evidence_is_of(model: TemVae, walk: Walk) -> None:
    """With one posterior sample: log p(x_t | past) = log p(x|z) − log q(z|x) + log p(z | past)."""
    belief = Belief(ActionSlips(ACTIONS, 0.3).double(), ACTIONS**5, samples=1)
    told = model.infer(*walk)
    torch.manual_seed(5)
    trace = model.believe(belief, *walk, told)
    samples = samples_of(model, walk, count=1)
    whitened = torch.cat([of_step.whitened for of_step in samples]).movedim(1, 0)
    log_ratios = torch.cat([of_step.log_ratios for of_step in samples]).mT
    expected = log_ratios + trace.prior.log_prob_whitened(whitened.unsqueeze(1))[0]
    torch.testing.assert_close(trace.log_evidence, expected)


def test_a_missing_percept_tells_nothing_and_is_not_remembered(model: TemVae, walk: Walk) -> None:
    percepts = walk[0].clone()
    percepts[0, 3, 1] = torch.nan
    trace = followed(model, (percepts, walk[1]), hypotheses=ACTIONS**5)
    assert abs(trace.log_evidence[0, 3]) < 1e-12
    slipped = 0.3 * (ACTIONS - 1) / ACTIONS
    torch.testing.assert_close(trace.wrong[0, 2].item(), slipped)
    assert not trace.prior.log_weights[0, 4:, 1 + 3].exp().any()


def test_no_step_depends_on_a_later_one(model: TemVae, walk: Walk) -> None:
    percepts = walk[0].clone()
    percepts[0, 4:] = 7.0
    before, after = (followed(model, (x, walk[1]), hypotheses=4) for x in (walk[0], percepts))
    assert torch.equal(before.prior.log_weights[:, :5], after.prior.log_weights[:, :5])
    assert torch.equal(before.wrong[:, :3], after.wrong[:, :3])
    shorter = before.prior.beginning(4)
    torch.testing.assert_close(shorter.log_weights, before.prior.log_weights[:, :4, :5])


def test_rows_that_are_not_kept_are_computed_again(
    model: TemVae, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = followed(model, walk, hypotheses=4).prior
    monkeypatch.setattr("tem_vae.model.belief.MOST_KEPT", 0)
    again = followed(model, walk, hypotheses=4).prior
    assert isinstance(again.near, RepeatedRows)
    for first, last in ((0, 6), (2, 3), (3, 5), (1, 2)):
        found, expected = (prior.weigh_rows(first, last) for prior in (again, kept))
        torch.testing.assert_close(found, expected)
    w = torch.randn(4, 1, 6, len(model.metric.E), dtype=torch.float64)
    torch.testing.assert_close(again.log_prob_whitened(w), kept.log_prob_whitened(w))
    torch.testing.assert_close(again.beginning(4).mode, kept.beginning(4).mode)


def test_a_walk_of_one_percept(model: TemVae, walk: Walk) -> None:
    trace = followed(model, (walk[0][:, :1], walk[1][:, :0]), hypotheses=4)
    assert trace.prior.log_weights.exp().tolist() == [[[1, 0]]]
    assert trace.actions.shape == (1, 1, 0)


def test_more_hypotheses_are_followed_where_walks_begin(
    model: TemVae, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tem_vae.model.hypotheses._EVEN_AT", 15)
    percepts, recorded = walk
    belief, told = Belief(ActionSlips(ACTIONS, 0.3).double(), 2, SAMPLES), model.infer(*walk)
    followed = [
        model.believe(belief, percepts, recorded, told, evenly).actions.shape[1] for evenly in (True, False)
    ]
    assert followed == [6, 2]  # 2 · 15 / 5 steps
    again = percepts.repeat(1, 3, 1), recorded.repeat(1, 4)[:, :17]
    assert model.believe(belief, *again, model.infer(*again)).actions.shape == (1, 2, 17)


def test_predictions_of_a_model_without_a_belief_may_doubt(model: TemVae, walk: Walk) -> None:
    torch.manual_seed(0)
    prediction = model.predict(*walk, hypotheses=8, slip_rate=0.2)
    assert prediction.belief is not None
    assert prediction.belief.actions.shape == (1, 128, 5)
    torch.testing.assert_close(prediction.belief.log_weights.exp().sum(-1), torch.ones(1).double())
    assert model.predict(*walk).belief is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"hypotheses": 8}, "what share of the actions"), ({"slip_rate": 0.1}, "how many hypotheses")],
)
def test_half_a_doubt_is_refused(model: TemVae, walk: Walk, arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.predict(*walk, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("hypotheses", [0, 1, -3, 2.5, "8", 100_000])
def test_hypotheses_out_of_range_are_refused(model: TemVae, walk: Walk, hypotheses: int) -> None:
    with pytest.raises(ValueError, match=r"from 2 to 4,096, but it is"):
        model.predict(*walk, hypotheses=hypotheses, slip_rate=0.1)


@pytest.mark.parametrize("rate", [0, 1, 5, -0.1, "0.05", float("nan")])
def test_rates_out_of_range_are_refused(model: TemVae, walk: Walk, rate: float) -> None:
    with pytest.raises(ValueError, match="above 0 and below 1, but it"):
        model.predict(*walk, hypotheses=4, slip_rate=rate)


def test_what_cannot_be_doubted_is_refused(model: TemVae, walk: Walk) -> None:
    model.integrator = LinearIntegrator(2, 8, 0.5)
    with pytest.raises(ValueError, match="real-valued"):
        model.doubt(8, 0.1)
    model.memory = StandardNormalPrior(model.metric.code_dim, model.metric.rank)
    belief = Belief(ActionSlips(ACTIONS, 0.1), 4, 1)
    model.integrator = LinearIntegrator(2, 8, 0.5).double()
    actions = torch.zeros(1, 5, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="no memory"):
        model.believe(belief, walk[0], actions, model.infer(walk[0], actions))
