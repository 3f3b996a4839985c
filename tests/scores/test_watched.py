import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.data import HexagonalWorlds, RectangularWorlds
from tem_vae.model import PathIntegrator
from tem_vae.scores.drift import out_and_back, phase_drift
from tem_vae.scores.visits import visit_numbers
from tem_vae.worlds import opposite_actions


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_visit_numbers_count_arrivals(places):
    counts: dict[int, int] = {}
    expected = []
    for step, place in enumerate(places):
        if step == 0 or places[step - 1] != place:
            counts[place] = counts.get(place, 0) + 1
        expected.append(counts[place])
    assert visit_numbers(torch.tensor([places])).tolist() == [expected]


@pytest.mark.parametrize("source", [RectangularWorlds((3, 5), (2, 4)), HexagonalWorlds((1, 2))])
def test_opposites_lead_back(source):
    worlds = source.sample(4, np.random.default_rng(0))
    opposites = opposite_actions(worlds)
    assert sorted(opposites) == list(range(len(source.actions)))
    assert opposites[0] == 0
    assert all(opposites[opposites[action]] == action for action in opposites)


def test_an_action_without_an_opposite_is_not_walked():
    walked = out_and_back(torch.tensor([[1, 2, 1]]), {0: 0, 1: 2, 2: 1})
    assert walked.tolist() == [[1, 2, 1, 2, 1, 2]]
    assert out_and_back(torch.tensor([[1, 3]]), {0: 0, 1: 2, 2: 1}).tolist() == [[1, 0, 0, 2]]


def test_drift_is_what_two_actions_fail_to_cancel():
    integrator = PathIntegrator(3, channels=2, initial_rotation=1.0)
    integrator.rotations.data = torch.tensor([[0.0, 0.0], [1.0, 2.0], [-0.9, -2.0]])
    out = out_and_back(torch.tensor([[1, 1]]), {0: 0, 1: 2, 2: 1})
    assert phase_drift(integrator, out).item() == pytest.approx((0.2 + 0.0) / 2, abs=1e-6)


def test_drift_of_lost_phases_is_a_quarter_turn():
    torch.manual_seed(0)
    integrator = PathIntegrator(2, channels=20_000, initial_rotation=50.0)
    drift = phase_drift(integrator, torch.tensor([[1]])).item()
    # |phase| is uniform on [0, π]: deviation π/√12, four standard errors.
    assert drift == pytest.approx(math.pi / 2, abs=4 * math.pi / math.sqrt(12 * 20_000))
