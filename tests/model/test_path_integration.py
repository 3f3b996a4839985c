import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.model import PathIntegrator


def integrator() -> PathIntegrator:
    torch.manual_seed(0)
    return PathIntegrator(n_actions=4, channels=6, initial_rotation=1.0)


def test_codes_are_the_rotations_added_up() -> None:
    module = integrator()
    actions = torch.tensor([[0, 3, 3, 1]])
    codes = module(actions)
    phase = torch.zeros(6)
    for step in range(5):
        expected = torch.cat([phase.cos(), phase.sin()]) / math.sqrt(6)
        torch.testing.assert_close(codes[0, step], expected, atol=1e-6, rtol=0)
        if step < 4:
            phase = phase + module.rotations[actions[0, step]]


def test_codes_have_norm_one() -> None:
    codes = integrator()(torch.randint(4, (3, 50)))
    torch.testing.assert_close(codes.norm(dim=-1), torch.ones(3, 51))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_the_order_of_actions_does_not_matter(actions: list[int]) -> None:
    module = integrator()
    shuffled = sorted(actions)
    end, other = module(torch.tensor([actions]))[0, -1], module(torch.tensor([shuffled]))[0, -1]
    torch.testing.assert_close(end, other, atol=1e-5, rtol=0)


def test_stepping_equals_integrating_the_whole_walk() -> None:
    module = integrator()
    actions = torch.randint(4, (3, 30), generator=torch.Generator().manual_seed(1))
    location = module.start(3)
    codes = [location.code]
    for step in range(30):
        location = module.step(location, actions[:, step])
        codes.append(location.code)
    torch.testing.assert_close(torch.stack(codes, dim=1), module(actions), atol=1e-6, rtol=0)


def test_long_sums_do_not_drift_by_rounding() -> None:
    module = integrator()
    with torch.no_grad():
        module.rotations[1] = -module.rotations[0]
    # 20,000 steps there, 20,000 back: exact opposites must return to the start.
    actions = torch.cat([torch.zeros(1, 20_000), torch.ones(1, 20_000)], dim=1).long()
    codes = module(actions)
    torch.testing.assert_close(codes[0, -1], codes[0, 0], atol=1e-6, rtol=0)
