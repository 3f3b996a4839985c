import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.scores.masked_means import MaskedMeans


@given(st.lists(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), min_size=1), min_size=1, max_size=5))
def test_uneven_batches_give_the_mean_over_all(batches: list[list[tuple[float, bool]]]) -> None:
    means = MaskedMeans(["a", "b"])
    for batch in batches:
        values, mask = zip(*batch, strict=True)
        means.update("a", torch.tensor([values]), torch.tensor([mask]))
    counted = [value for batch in batches for value, counts in batch if counts]
    computed = means.compute().means
    if counted:
        assert abs(computed["a"].item() - sum(counted) / len(counted)) < 1e-4
    else:
        assert math.isnan(computed["a"].item())
    assert math.isnan(computed["b"].item())


def test_without_a_mask_everything_counts() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.arange(4.0).unsqueeze(0))
    assert means.compute().means["a"] == 1.5


def test_values_that_do_not_count_may_be_anything() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.tensor([[2.0, torch.nan]]), torch.tensor([[True, False]]))
    assert means.compute().means["a"] == 2


def test_with_equal_counts_the_standard_error_is_that_of_the_means_of_walks() -> None:
    values = torch.randn(7, 20, generator=torch.Generator().manual_seed(0))
    means = MaskedMeans(["a"])
    means.update("a", values[:4])
    means.update("a", values[4:])
    by_walk = values.mean(dim=1)
    torch.testing.assert_close(means.compute().standard_errors["a"], by_walk.std() / math.sqrt(7))


def test_the_standard_error_is_the_deviation_of_the_mean_over_repetitions() -> None:
    # 4,000 repetitions know a deviation to 1/√8,000 = 1.1 %, four times which is the tolerance. In each, 40
    # walks differ in length and in difficulty, and the steps of one share its difficulty.
    generator = torch.Generator().manual_seed(1)
    estimates, errors = [], []
    for _ in range(4000):
        difficulty = torch.rand(40, 1, generator=generator)
        correct = torch.rand(40, 30, generator=generator) < difficulty
        counted = torch.rand(40, 30, generator=generator) < torch.rand(40, 1, generator=generator)
        means = MaskedMeans(["a"])
        means.update("a", correct, counted)
        computed = means.compute()
        estimates.append(computed.means["a"])
        errors.append(computed.standard_errors["a"].square())
    deviation = torch.stack(estimates).std().item()
    assert torch.stack(errors).mean().sqrt().item() == pytest.approx(deviation, rel=0.045)


def test_a_single_walk_has_no_standard_error() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.ones(2, 3), torch.tensor([[True] * 3, [False] * 3]))
    assert means.compute().means["a"] == 1
    assert means.compute().standard_errors["a"].isnan()


def test_reset_forgets() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.ones(1, 3))
    means.reset()
    means.update("a", torch.zeros(1, 1))
    assert means.compute().means["a"] == 0


def test_states_of_two_processes_add_up() -> None:
    first, second = MaskedMeans(["a"]), MaskedMeans(["a"])
    first.update("a", torch.tensor([[1.0]]))
    second.update("a", torch.tensor([[4.0, 4.0]]))
    # What torchmetrics does across processes: states are gathered, then reduced by dist_reduce_fx.
    for name in ("a_sums", "a_counts"):
        reduce = first._reductions[name]
        setattr(first, name, reduce(getattr(first, name) + getattr(second, name)))
    assert first.compute().means["a"] == 3
