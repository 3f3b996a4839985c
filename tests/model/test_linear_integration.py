"""Real-valued actions turn every channel by a linear map of them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tem_vae.model import LinearIntegrator, Observer, TemVae

CHANNELS, DIM = 6, 2


def integrator(dtype: torch.dtype = torch.float32) -> LinearIntegrator:
    torch.manual_seed(0)
    return LinearIntegrator(DIM, CHANNELS, initial_scale=1.0).to(dtype)


def walks(batch: int, steps: int) -> Tensor:
    return torch.randn(batch, steps, DIM, generator=torch.Generator().manual_seed(1))


def test_codes_are_the_turns_added_up() -> None:
    module, actions = integrator(torch.float64), walks(1, 4).double()
    codes, phase = module(actions), torch.zeros(CHANNELS, dtype=torch.float64)
    for step in range(5):
        expected = torch.cat([phase.cos(), phase.sin()]) / math.sqrt(CHANNELS)
        torch.testing.assert_close(codes[0, step], expected, atol=1e-12, rtol=0)
        if step < 4:
            phase = phase + module.turning @ actions[0, step]


def test_stepping_equals_integrating_the_whole_walk() -> None:
    module, actions = integrator(), walks(3, 30)
    location = module.start(3)
    codes = [location.code]
    for step in range(30):
        location = module.step(location, actions[:, step])
        codes.append(location.code)
    assert location.phases.dtype == torch.float64
    torch.testing.assert_close(torch.stack(codes, dim=1), module(actions), atol=1e-6, rtol=0)


@given(st.lists(st.tuples(*[st.floats(-3, 3, width=32)] * DIM), min_size=1, max_size=20))
def test_only_the_sum_of_the_actions_matters(actions: list[tuple[float, ...]]) -> None:
    module, steps = integrator(), torch.tensor(actions)[None]
    at_once = steps.double().sum(dim=1, keepdim=True).float()
    torch.testing.assert_close(module(steps)[0, -1], module(at_once)[0, -1], atol=1e-5, rtol=0)


def test_small_actions_and_their_negatives_return_to_the_start() -> None:
    there = 0.01 * walks(1, 20_000)
    codes = integrator()(torch.cat([there, -there.flip(1)], dim=1))
    torch.testing.assert_close(codes[0, -1], codes[0, 0], atol=1e-6, rtol=0)


def test_the_gradient_is_that_of_the_formula() -> None:
    module = integrator(torch.float64)
    actions = walks(2, 5).double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda turning, a: torch.func.functional_call(module, {"turning": turning}, (a,)),
        (module.turning.detach().requires_grad_(), actions),
    )


def test_the_first_draw_has_the_deviation_asked_for() -> None:
    torch.manual_seed(0)
    module = LinearIntegrator(3, 50_000, initial_scale=0.2)
    assert module.turning.std().item() == pytest.approx(0.2, rel=0.01)


def test_an_observer_expects_what_predict_does(model: TemVae, walk: tuple[Tensor, Tensor]) -> None:
    model.integrator = integrator()
    percepts, actions = walk[0], 0.3 * walks(2, 11)
    expected = model.eval().predict(percepts, actions)
    observer = Observer(model)
    for t in range(12):
        step = observer.observe(percepts[:, t], actions[:, t - 1] if t else None)
        torch.testing.assert_close(step.percept, expected.percepts[:, t])
        torch.testing.assert_close(step.memory_weights, expected.memory_weights[:, t, :t])
    one_for_all = observer.expect(torch.tensor([0.1, -0.2]))
    each = observer.expect(torch.tensor([[0.1, -0.2]] * 2))
    torch.testing.assert_close(one_for_all, each)
    with pytest.raises(ValueError, match=r"one for all walks or have the batch shape \(2\).*\(3, 2\)"):
        observer.expect(torch.zeros(3, 2))


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (torch.zeros(2, 11, dtype=torch.long), r"vectors of 2 numbers.*are in torch\.int64"),
        (torch.zeros(2, 11, 3), r"the 2 numbers of one.*\(2, 11, 3\)"),
        (torch.full((2, 11, 2), torch.nan), "must be finite, but one holds nan"),
    ],
)
def test_actions_that_are_none(
    model: TemVae, walk: tuple[Tensor, Tensor], actions: Tensor, message: str
) -> None:
    model.integrator = integrator()
    with pytest.raises(ValueError, match=message):
        model.predict(walk[0], actions)
