"""Scores of a belief by hand."""

from types import SimpleNamespace

import pytest
import torch

from tem_vae.data import Truth, Walks
from tem_vae.scores.belief import BeliefScores

PLACES = torch.tensor([[0, 1, 0, 1, 0]])
POSITIONS = torch.tensor([[[0.0, 0], [3, 4], [0, 0], [3, 4], [0, 0]]])


def walks(happened: list[int]) -> Walks:
    return Walks(
        torch.zeros(1, 5, 2),
        torch.tensor([[0, 1, 0, 1]]),
        torch.tensor([[True, True, True, True, False]]),
        Truth(PLACES, positions=POSITIONS, actions=torch.tensor([happened])),
    )


def belief(heaviest: list[int], wrong: list[float]) -> SimpleNamespace:
    return SimpleNamespace(
        prior=SimpleNamespace(heaviest=torch.tensor([heaviest])),
        wrong=torch.tensor([wrong]),
        entropy=torch.tensor([[0.0, 1, 2, 3, 99]]),
        log_evidence=torch.tensor([[-1.0, -1, -1, -5, 99]]),
    )


def test_by_hand() -> None:
    scores = BeliefScores()
    scores.update(walks([0, 1, 1, 0]), belief([0, 0, 1, 1, 0], [0.1, 0.2, 0.9, 0.0]))
    computed = scores.compute()
    # The step that is padding does not count: of three actions the third slipped, and was doubted most.
    assert computed["slip_auroc"] == 1
    assert computed["belief_entropy"] == pytest.approx(1.5)
    assert computed["belief_evidence"] == pytest.approx(-2)
    # Of two revisits one looks at a memory 5 link lengths away.
    assert computed["location_error"] == pytest.approx(2.5)


def test_without_a_slip_there_is_nothing_to_tell_apart() -> None:
    scores = BeliefScores()
    scores.update(walks([0, 1, 0, 1]), belief([0, 0, 0, 1, 0], [0.1, 0.2, 0.9, 0.0]))
    assert scores.compute()["slip_auroc"].isnan()
