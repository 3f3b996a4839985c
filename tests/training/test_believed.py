"""Paths that are drawn from a belief, and what a checkpoint keeps of it."""

from dataclasses import dataclass

import pytest
import torch

from tem_vae.training.believed import Believed

WALKS, HYPOTHESES, STEPS = 500, 3, 4


@dataclass
class Drawn:
    shares: torch.Tensor
    believed: Believed


@pytest.fixture
def drawn() -> Drawn:
    """Walks on which each hypothesis took one action, its number, at every step."""
    shares = torch.tensor([0.2, 0.5, 0.3])
    actions = torch.arange(HYPOTHESES)[None, :, None].expand(WALKS, -1, STEPS)
    recorded = torch.zeros(WALKS, STEPS, dtype=torch.long)
    percepts, mask = torch.zeros(WALKS, STEPS + 1, 2), torch.ones(WALKS, STEPS + 1, dtype=torch.bool)
    return Drawn(shares, Believed(percepts, recorded, mask, actions, shares.log().expand(WALKS, -1)))


def test_a_path_is_that_of_one_hypothesis_drawn_by_its_weight(drawn: Drawn) -> None:
    """A share of 500 draws has a standard error of at most .0224, so .08 is more than three of them."""
    torch.manual_seed(0)
    actions = drawn.believed.draw().actions
    assert (actions == actions[:, :1]).all()
    found = torch.bincount(actions[:, 0], minlength=HYPOTHESES) / WALKS
    torch.testing.assert_close(found, drawn.shares, atol=0.08, rtol=0)


def test_a_checkpoint_gives_it_back(drawn: Drawn) -> None:
    restored = Believed.restored(drawn.believed._asdict())
    assert all(torch.equal(*pair) for pair in zip(restored, drawn.believed, strict=True))


@pytest.mark.parametrize("wrong", [{}, {"actions": None}, {"more": torch.zeros(1)}])
def test_something_else_in_a_checkpoint_is_refused(drawn: Drawn, wrong: dict[str, object]) -> None:
    state = drawn.believed._asdict() | wrong if wrong else {}
    with pytest.raises(ValueError, match="holds a belief that is not of percepts, recorded"):
        Believed.restored(state)
