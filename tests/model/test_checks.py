"""Mistakes in what a model is given are named, by every method that takes walks."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tem_vae.model import TemVae
from tem_vae.model.checks import LARGEST_PERCEPT

Walk = tuple[Tensor, Tensor]
Method = Callable[[TemVae, Tensor, Tensor], object]

on_walks = pytest.mark.parametrize("method", [TemVae.predict, TemVae.elbo])
on_percepts = pytest.mark.parametrize(
    "method", [TemVae.predict, TemVae.elbo, lambda model, percepts, actions: model.reconstruct(percepts)]
)


@on_walks
def test_an_action_is_missing(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 11\).*of 12 percepts.*shape is \(2, 10\)"):
        method(model, walk[0], walk[1][:, :-1])


@on_walks
def test_as_many_actions_as_percepts(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 10\).*shape is \(2, 11\)"):
        method(model, walk[0][:, :-1], walk[1])


@on_walks
def test_a_walk_without_a_batch_axis(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"shape is \(12, 6\); a single walk has a batch axis of length 1"):
        method(model, walk[0][0], walk[1][0])


@on_walks
def test_walks_without_a_step(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"\(batch, time, 6\), but their shape is \(2, 0, 6\)"):
        method(model, walk[0][:, :0], walk[1][:, :0])


@on_walks
@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8, torch.bool])
def test_actions_that_are_no_whole_numbers(
    model: TemVae, walk: Walk, method: Method, dtype: torch.dtype
) -> None:
    with pytest.raises(ValueError, match=f"whole numbers.*but are in {dtype}"):
        method(model, walk[0], walk[1].to(dtype))


@pytest.mark.parametrize("action", [-1, 5])
def test_an_action_that_does_not_exist(model: TemVae, walk: Walk, action: int) -> None:
    walk[1][1, 4] = action
    with pytest.raises(ValueError, match=f"whole numbers from 0 to 4, but one is {action}"):
        model.predict(*walk)


@on_percepts
def test_percepts_in_another_precision(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"a tensor of torch\.float32.*are of torch\.float64; use"):
        method(model, walk[0].double(), walk[1])


@on_percepts
def test_percepts_that_are_no_tensor(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(
        ValueError, match=r"must be a tensor of torch, but are a ndarray: make one with torch\.from_numpy"
    ):
        method(model, walk[0].numpy(), walk[1])


@on_walks
@pytest.mark.parametrize(("given", "made"), [(Tensor.numpy, "from_numpy"), (Tensor.tolist, "as_tensor")])
def test_actions_that_are_no_tensor(
    model: TemVae, walk: Walk, method: Method, given: Callable[[Tensor], object], made: str
) -> None:
    with pytest.raises(ValueError, match=rf"actions must be a tensor of torch.*torch\.{made}\(actions\)"):
        method(model, walk[0], given(walk[1]))


@on_percepts
def test_percepts_of_other_features(model: TemVae, walk: Walk, method: Method) -> None:
    with pytest.raises(ValueError, match=r"must hold 6 features, but their shape is \(2, 12, 5\)"):
        method(model, walk[0][..., :5], walk[1])


def test_a_walk_of_one_percept_has_no_action(model: TemVae, walk: Walk) -> None:
    prediction = model.predict(walk[0][:, :1], walk[1][:, :0])
    torch.testing.assert_close(prediction.novelty, torch.ones(2, 1))


def test_numbers_of_half_the_width_are_actions_too(model: TemVae, walk: Walk) -> None:
    wide, narrow = model.predict(*walk), model.predict(walk[0], walk[1].int())
    assert torch.equal(wide.percepts, narrow.percepts)


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e30, -1e30])
def test_a_percept_that_would_spoil_its_walk(model: TemVae, walk: Walk, value: float) -> None:
    walk[0][1, 7, 2] = value
    with pytest.raises(ValueError, match=r"must be finite and between.*walk 1 at step 7 holds"):
        model.predict(*walk)


def test_the_largest_percept_that_is_let_in_spoils_nothing(model: TemVae, walk: Walk) -> None:
    walk[0][1, 7, 2] = LARGEST_PERCEPT
    prediction = model.predict(*walk)
    assert all(values.isfinite().all() for values in prediction)
