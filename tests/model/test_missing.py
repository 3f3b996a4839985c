"""A percept with a NaN in it is missing: the step moves, is not remembered, and changes nothing else."""

from dataclasses import fields

import pytest
import torch
from torch import Tensor

from tem_vae.data import Truth, Walks
from tem_vae.model import ElboTerms, Observer, Prediction, TemVae, WalkPrior
from tem_vae.scores.oracle import importance_weighted_bounds
from tem_vae.training.module import mean_over_steps

Walk = tuple[Tensor, Tensor]
MISSING = [(0, 3), (0, 4), (1, 0), (1, 9)]


def without(percepts: Tensor, steps: list[tuple[int, int]]) -> Tensor:
    """The same percepts with a NaN in one feature of some: (walk, step)."""
    holey = percepts.clone()
    for number, (walk, step) in enumerate(steps):
        holey[walk, step, number % percepts.shape[-1]] = torch.nan
    return holey


def sampled(model: TemVae, percepts: Tensor, actions: Tensor) -> ElboTerms:
    """The bound with noise that depends on the step alone."""
    inference = model.infer(percepts, actions)
    posterior = inference.posterior
    shape = (*posterior.batch_shape, posterior.factorization.rank)
    u = torch.randn(shape, generator=torch.Generator().manual_seed(3)).to(percepts.dtype)
    z = posterior.center + posterior.scale.unsqueeze(-1) * posterior.factorization.spread(u)
    return model.evaluate_sample(percepts, inference, z, u)


def dense_log_prior(model: TemVae, percepts: Tensor, actions: Tensor, w: Tensor) -> Tensor:
    """Log p(w_t | past) of one walk, written out: a list of what was seen, nothing for what was not."""
    memory, integrator, factorization = model.memory, model.integrator, model.metric.factorize()
    prototypes = memory.prototypes
    assert prototypes is not None
    locations = integrator(actions[None])[0]
    kinds = factorization.whiten(prototypes.centers)
    shares, next_kind = prototypes.share_logits.softmax(0), prototypes.transition_logits.softmax(1)
    own = prototypes.own_logit.sigmoid()
    log_priors, seen_w, seen_g = [], [], []
    for t, percept in enumerate(percepts):
        of_kinds = density(w[t], kinds, memory.null_scale)
        weight = (memory.null_logit - 0.3 * memory.precision).exp()
        total, joint = weight, weight * (shares * of_kinds).sum()
        for g, c in zip(seen_g, seen_w, strict=True):
            of_own = density(w[t], c, memory.memory_scale)
            sharpened = density(c, kinds, memory.null_scale) ** prototypes.log_sharpness.exp()
            belongs = shares * sharpened / (shares * sharpened).sum()
            there = own * of_own + (1 - own) * (belongs @ next_kind @ of_kinds)
            near = (((locations[t] * g).sum() - 1) * memory.precision).exp()
            share = memory.background_logit.exp() / len(seen_g)
            total, joint = total + near + share, joint + near * there + share * of_own
        log_priors.append((joint / total).log() - factorization.log_volume)
        if not percept.isnan().any():
            seen_w.append(factorization.whiten(model.encoder(percept)))
            seen_g.append(locations[t])
    return torch.stack(log_priors)


def density(w: Tensor, center: Tensor, scale: Tensor) -> Tensor:
    """Of a normal distribution around the center, (*, M), with the scale as deviation in every direction."""
    normal = torch.distributions.Normal(center, scale)
    return normal.log_prob(w).sum(-1).exp()


@pytest.mark.parametrize("at_once", [2**18, 16])
def test_the_prior_is_that_of_the_written_out_formula(
    model: TemVae, walk: Walk, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tem_vae.model.causal_attention._LOGITS_AT_ONCE", at_once)
    monkeypatch.setattr("tem_vae.model.causal_attention._LOGITS_KEPT", 0)
    model = model.double()
    percepts, actions = without(walk[0].double(), MISSING), walk[1]
    inference = model.infer(percepts, actions)
    w = torch.randn(*percepts.shape[:2], len(model.metric.E), dtype=torch.float64)
    found = inference.prior.log_prob_whitened(w)
    expected = torch.stack([dense_log_prior(model, *one) for one in zip(percepts, actions, w, strict=True)])
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    learned = [*model.parameters()]
    gradients = torch.autograd.grad(found.sum(), learned, allow_unused=True, retain_graph=True)
    wanted = torch.autograd.grad(expected.sum(), learned, allow_unused=True)
    for gradient, want in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(gradient, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("at_once", [2**18, 16])
def test_scores_of_several_priors_are_those_of_each_with_gradients(
    model: TemVae, walk: Walk, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tem_vae.model.walk_prior.PAIRS_AT_ONCE", at_once)
    model = model.double()
    percepts, actions = without(walk[0].double(), MISSING), walk[1]
    inference = model.infer(percepts, actions)
    places = torch.tensor([0, 1, 2, 3]).repeat(2, 3)
    oracle = model.memory.at_places(
        places, inference.codes, inference.posterior.factorization, inference.seen
    )
    assert isinstance(inference.prior, WalkPrior)
    assert isinstance(oracle, WalkPrior)
    w = 3 * torch.randn(5, *percepts.shape[:2], len(model.metric.E), dtype=torch.float64)
    found = inference.prior.log_probs_whitened(w, [inference.prior.near, oracle.near])
    for log_prob, prior in zip(found, (inference.prior, oracle), strict=True):
        torch.testing.assert_close(log_prob, prior.log_prob_whitened(w), rtol=1e-12, atol=1e-12)
        with torch.no_grad():
            torch.testing.assert_close(prior.log_prob_whitened(w), log_prob, rtol=1e-12, atol=1e-12)


def test_the_weights_of_memory_are_those_of_what_was_seen(model: TemVae, walk: Walk) -> None:
    prediction = model.predict(without(walk[0], MISSING), walk[1])
    for number, step in MISSING:
        assert not prediction.memory_weights[number, :, step].any()
    total = prediction.prior.log_weights[..., 0].exp() + prediction.memory_weights.sum(dim=-1)
    torch.testing.assert_close(total, torch.ones(2, 12))
    torch.testing.assert_close(prediction.novelty[1, :2], torch.ones(2))
    torch.testing.assert_close(prediction.prior.log_weights.exp()[..., 1:], prediction.memory_weights)


def test_a_step_before_the_missing_one_does_not_change(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    whole, holey = (sampled(model, p, actions) for p in (percepts, without(percepts, [(0, 7), (1, 7)])))
    torch.testing.assert_close(holey.elbo[:, :7], whole.elbo[:, :7])


def test_at_the_missing_step_one_expects_what_one_would(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    whole, holey = model.predict(percepts, actions), model.predict(without(percepts, [(0, 7)]), actions)
    torch.testing.assert_close(holey.percepts[0, :8], whole.percepts[0, :8])
    torch.testing.assert_close(holey.novelty[0, :8], whole.novelty[0, :8])
    assert (holey.novelty[0, 8:] - whole.novelty[0, 8:]).abs().max() > 1e-4


def test_two_moves_without_a_percept_between_them_are_one_move(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk[0][:1], walk[1][:1].clone()
    rotations = model.integrator.rotations
    with torch.no_grad():  # the last action does what two others do one after the other
        rotations[4] = rotations[0] + rotations[1]
    actions[0, 5:7] = torch.tensor([0, 1])
    kept = [*range(6), *range(7, 12)]
    short = torch.cat([actions[:, :5], torch.tensor([[4]]), actions[:, 7:]], dim=1)
    holey, expected = (
        model.predict(without(percepts, [(0, 6)]), actions),
        model.predict(percepts[:, kept], short),
    )
    torch.testing.assert_close(holey.percepts[:, kept], expected.percepts)
    torch.testing.assert_close(holey.novelty[:, kept], expected.novelty)
    torch.testing.assert_close(holey.memory_weights[:, kept][..., kept], expected.memory_weights)


def test_terms_are_zero_and_the_loss_is_that_of_what_was_seen(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    holey = without(percepts, MISSING)
    walks = Walks(holey, actions, torch.ones(2, 12, dtype=torch.bool))
    terms = sampled(model, holey, actions)
    for field in fields(terms):
        values = getattr(terms, field.name)
        assert (values != 0).equal(walks.seen)
    loss = mean_over_steps(terms.elbo, walks.seen)
    torch.testing.assert_close(loss, terms.elbo.sum() / (24 - len(MISSING)))


def test_what_stands_in_a_missing_percept_is_not_read(model: TemVae, walk: Walk) -> None:
    percepts, actions = walk
    holey = without(percepts, MISSING)
    others = torch.where(holey.isnan().any(-1, keepdim=True) & ~holey.isnan(), 5.0, holey)
    terms = [sampled(model, p, actions).elbo.sum() for p in (holey, others)]
    gradients = [torch.autograd.grad(term, list(model.parameters())) for term in terms]
    assert terms[0].equal(terms[1])
    assert all(a.equal(b) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("steps", [[(0, 0)], MISSING, [(w, t) for w in range(2) for t in range(12)]])
@pytest.mark.parametrize("forgetting", [0.0, 0.3])
def test_gradients_are_finite(
    model: TemVae, walk: Walk, steps: list[tuple[int, int]], forgetting: float
) -> None:
    model.memory.forgetting = forgetting
    holey = without(walk[0], steps)
    terms = model.elbo(holey, walk[1])
    seen = Walks(holey, walk[1], torch.ones(2, 12, dtype=torch.bool)).seen
    mean_over_steps(terms.elbo, seen).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any() or not seen.any(), name


def test_a_walk_without_any_percept_expects_something_new_everywhere(model: TemVae, walk: Walk) -> None:
    prediction = model.predict(torch.full_like(walk[0], torch.nan), walk[1])
    torch.testing.assert_close(prediction.novelty, torch.ones(2, 12))
    assert prediction.percepts.isfinite().all()
    torch.testing.assert_close(prediction.percepts, prediction.percepts[:1, :1].expand(2, 12, -1))


def test_bounds_of_many_samples_and_the_oracle_are_zero_there(model: TemVae, walk: Walk) -> None:
    holey = without(walk[0], MISSING)
    places = torch.randint(3, (2, 12), generator=torch.Generator().manual_seed(0))
    walks = Walks(holey, walk[1], torch.ones(2, 12, dtype=torch.bool), Truth(places))
    inference = model.infer(holey, walk[1])
    bounds = importance_weighted_bounds(model, walks, inference, 3)
    assert bounds.oracle is not None
    assert (bounds.model != 0).equal(walks.seen)
    assert (bounds.oracle != 0).equal(walks.seen)
    beginning = model.beginning(inference, 6)
    torch.testing.assert_close(beginning.prior.novelty, inference.prior.novelty[:, :6])


@pytest.mark.parametrize("steps", [[(0, 0), (1, 0)], MISSING])
def test_an_observer_expects_what_predict_does(
    model: TemVae, walk: Walk, steps: list[tuple[int, int]]
) -> None:
    percepts, actions = without(walk[0], steps), walk[1]
    expected: Prediction = model.eval().predict(percepts, actions)
    observer = Observer(model)
    for t in range(12):
        step = observer.observe(percepts[:, t], actions[:, t - 1] if t else None)
        torch.testing.assert_close(step.percept, expected.percepts[:, t])
        torch.testing.assert_close(step.novelty, expected.novelty[:, t])
        torch.testing.assert_close(step.memory_weights, expected.memory_weights[:, t, :t])
    assert (observer.counts.bool()).equal(~percepts.isnan().any(-1))


def test_an_observer_of_bounded_memory_gives_up_what_was_not_seen_first(model: TemVae, walk: Walk) -> None:
    model.eval()
    percepts, actions = without(walk[0][:1], [(0, 1), (0, 2)]), walk[1][:1]
    bounded, free = Observer(model, capacity=10), Observer(model)
    for t in range(12):
        given = percepts[:, t], actions[:, t - 1] if t else None
        few, all_of_them = bounded.observe(*given), free.observe(*given)
        torch.testing.assert_close(few.percept, all_of_them.percept)
        torch.testing.assert_close(few.novelty, all_of_them.novelty)
    assert bounded.counts.tolist() == [[1.0] * 10]
