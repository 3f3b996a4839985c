"""What is kept of many hypotheses keeps their weights in expectation, and the heavy ones for sure."""

import hypothesis.strategies as st
import torch
from hypothesis import given, settings

from tem_vae.model.stratified import stratified_choice


@given(
    seed=st.integers(0, 2**31),
    hypotheses=st.integers(1, 40),
    count=st.integers(1, 20),
    spread=st.floats(0, 30),
    without=st.floats(0, 1),
)
@settings(max_examples=100, deadline=None)
def test_so_many_are_kept_and_none_twice(
    seed: int, hypotheses: int, count: int, spread: float, without: float
) -> None:
    torch.manual_seed(seed)
    log_weights = spread * torch.randn(3, hypotheses, dtype=torch.float64)
    log_weights[torch.rand(3, hypotheses) < without] = -torch.inf
    log_weights[:, 0] = 0.0
    index, kept = stratified_choice(log_weights, count)
    assert index.shape == kept.shape == (3, count)
    for row, chosen, weights in zip(log_weights, index, kept, strict=True):
        real = chosen[weights > -torch.inf]
        assert len(real.unique()) == len(real) == min(count, int((row > -torch.inf).sum()))
        # No weight is lowered, and those that were raised all have the same one.
        assert (weights[weights > -torch.inf] >= row[real] - 1e-9).all()
        raised = weights[weights > -torch.inf][weights[weights > -torch.inf] > row[real] + 1e-9]
        assert len(raised) == 0 or raised.max() - raised.min() < 1e-9


def test_the_expectation_of_a_weight_is_what_it_was() -> None:
    torch.manual_seed(0)
    weights = torch.tensor([0.5, 0.2, 0.1, 0.1, 0.06, 0.03, 0.01], dtype=torch.float64)
    repetitions = 20_000
    index, kept = stratified_choice(weights.log().expand(repetitions, -1), 3)
    total = torch.zeros(repetitions, 7, dtype=torch.float64).scatter_add(1, index, kept.exp())
    errors = (total.mean(dim=0) - weights) / (total.std(dim=0) / repetitions**0.5).clamp_min(1e-12)
    assert errors.abs().max() < 4
    assert (total[:, 0] == total[0, 0]).all()


def test_where_all_fit_nothing_is_drawn() -> None:
    log_weights = torch.tensor([[0.3, -1.0]])
    index, kept = stratified_choice(log_weights, 4)
    assert index[0, :2].tolist() == [0, 1]
    assert torch.equal(kept[0, :2], log_weights[0])
    assert kept[0, 2:].isneginf().all()
