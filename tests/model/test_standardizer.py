"""Percepts in any unit: standardised on the way in, given back in their unit on the way out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Normal

from tem_vae.model import Observer, Standardizer, TemVae

Walk = tuple[Tensor, Tensor]


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any),
    offset=st.sampled_from([0.0, 3.0, 1e4]),
    shape=st.sampled_from([(3,), (1,), (4, 5), (3, 4, 5)]),
)
def test_batches_are_pooled_as_if_they_were_one(
    sizes: list[int], offset: float, shape: tuple[int, ...]
) -> None:
    percepts = draw(sum(sizes), *shape) * 2.5 + offset
    standardizer = Standardizer(shape)
    standardizer.fit(torch.split(percepts, sizes))
    axes = (0,) if len(shape) == 1 else (0, -2, -1)
    exact = percepts.double().numpy()
    mean = exact.mean(axis=axes, keepdims=True)[0]
    deviation = exact.std(axis=axes, keepdims=True)[0]
    deviation = np.where(np.ptp(exact, axis=axes, keepdims=True)[0] == 0, 1.0, deviation)
    assert standardizer.mean.shape == mean.shape
    np.testing.assert_allclose(standardizer.mean.numpy(), mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(standardizer.deviation.numpy(), deviation, rtol=1e-6)


def test_a_small_deviation_beside_a_large_mean_is_not_lost() -> None:
    percepts = (1e8 + draw(50, 2).double()).requires_grad_(False)
    standardizer = Standardizer((2,))
    standardizer.fit(percepts.split(7))
    expected = percepts.std(dim=0, correction=0).float()
    torch.testing.assert_close(standardizer.deviation, expected, rtol=1e-6, atol=0)


def test_what_does_not_vary_has_the_deviation_one() -> None:
    percepts = draw(40, 3)
    percepts[:, 1] = 0.1  # no binary fraction: its sum is rounded
    standardizer = Standardizer((3,))
    standardizer.fit(percepts.split(11))
    assert standardizer.deviation[1] == 1
    torch.testing.assert_close(standardizer(percepts)[:, 1], torch.zeros(40))
    assert (standardizer.deviation[[0, 2]] != 1).all()


def test_missing_percepts_are_left_out() -> None:
    percepts = draw(20, 3, 2, 2)
    holey = percepts.clone()
    holey[4, 0, 1, 1] = torch.nan
    found, expected = Standardizer((3, 2, 2)), Standardizer((3, 2, 2))
    found.fit([holey])
    expected.fit([torch.cat([percepts[:4], percepts[5:]])])
    torch.testing.assert_close(found.state_dict(), expected.state_dict())
    with pytest.raises(ValueError, match="no percept to standardise by"):
        found.fit([torch.full((5, 3, 2, 2), torch.nan)])


@pytest.mark.parametrize("shape", [(3,), (4, 5), (3, 4, 5)])
def test_a_log_density_changes_by_the_log_of_the_scale(shape: tuple[int, ...]) -> None:
    percepts = (draw(9, *shape) * 7 + 2).double()
    standardizer = Standardizer(shape).double()
    standardizer.fit([percepts])
    mean, deviation = standardizer.mean, standardizer.deviation
    raw = Normal(mean, deviation).log_prob(percepts).flatten(1).sum(1)
    standardised = Normal(0.0, 1.0).log_prob(standardizer(percepts)).flatten(1).sum(1)
    torch.testing.assert_close(standardised - standardizer.log_scale(shape), raw)


@pytest.fixture
def raw(model: TemVae, walk: Walk) -> Tensor:
    """The percepts of the walk in another unit, and a model that learned to standardise them."""
    percepts = walk[0] * torch.tensor([1.0, 2.0, 300.0, 0.01, 5.0, 1.0]) + 40
    model.standardizer = Standardizer((6,))
    model.standardizer.fit(percepts)
    return percepts


def test_a_model_of_raw_percepts_is_that_of_standardised_ones(model: TemVae, walk: Walk, raw: Tensor) -> None:
    assert model.standardizer is not None
    standardised = model.standardizer(raw)
    torch.manual_seed(0)
    terms, predicted = model.elbo(raw, walk[1]), model.predict(raw, walk[1])
    rebuilt = model.reconstruct(raw)
    standardizer, model.standardizer = model.standardizer, None
    torch.manual_seed(0)
    expected = model.elbo(standardised, walk[1])
    torch.testing.assert_close(terms.elbo, expected.elbo)
    torch.testing.assert_close(
        standardizer(predicted.percepts), model.predict(standardised, walk[1]).percepts, rtol=0, atol=1e-3
    )
    torch.testing.assert_close(standardizer(rebuilt), model.reconstruct(standardised), rtol=0, atol=1e-3)


def test_the_unit_changes_no_prediction(model: TemVae, walk: Walk, raw: Tensor) -> None:
    holey = raw.clone()
    holey[0, 3, 1] = torch.nan
    predicted = model.predict(holey, walk[1]).percepts
    assert model.standardizer is not None
    model.standardizer.fit([1000 * raw.flatten(0, 1) - 7])
    other = model.predict(1000 * holey - 7, walk[1]).percepts
    torch.testing.assert_close((other + 7) / 1000, predicted, rtol=1e-4, atol=1e-4)


def test_an_observer_expects_percepts_in_their_unit(model: TemVae, walk: Walk, raw: Tensor) -> None:
    expected = model.eval().predict(raw, walk[1]).percepts
    observer = Observer(model)
    for t in range(12):
        step = observer.observe(raw[:, t], walk[1][:, t - 1] if t else None)
        torch.testing.assert_close(step.percept, expected[:, t], rtol=1e-4, atol=1e-4)


def test_mean_and_deviation_are_kept_with_the_weights(model: TemVae, raw: Tensor) -> None:
    weights = model.state_dict()
    assert weights["standardizer.mean"].abs().max() > 30
    assert not any(name.startswith("standardizer") for name, _ in model.named_parameters())
    model.standardizer = None
    assert not any(name.startswith("standardizer") for name in model.state_dict())
