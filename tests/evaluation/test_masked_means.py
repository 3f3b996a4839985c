import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.evaluation.masked_means import MaskedMeans


@given(st.lists(st.lists(st.tuples(st.floats(-10, 10), st.booleans()), min_size=1), min_size=1, max_size=5))
def test_uneven_batches_give_the_mean_over_all(batches: list[list[tuple[float, bool]]]) -> None:
    means = MaskedMeans(["a", "b"])
    for batch in batches:
        values, mask = zip(*batch, strict=True)
        means.update("a", torch.tensor(values), torch.tensor(mask))
    counted = [value for batch in batches for value, counts in batch if counts]
    computed = means.compute()
    if counted:
        assert abs(computed["a"].item() - sum(counted) / len(counted)) < 1e-4
    else:
        assert math.isnan(computed["a"].item())
    assert math.isnan(computed["b"].item())


def test_without_a_mask_everything_counts() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.arange(4.0))
    assert means.compute()["a"] == 1.5


def test_reset_forgets() -> None:
    means = MaskedMeans(["a"])
    means.update("a", torch.ones(3))
    means.reset()
    means.update("a", torch.zeros(1))
    assert means.compute()["a"] == 0


def test_states_of_two_processes_add_up() -> None:
    first, second = MaskedMeans(["a"]), MaskedMeans(["a"])
    first.update("a", torch.tensor([1.0]))
    second.update("a", torch.tensor([4.0, 4.0]))
    # What torchmetrics does across processes: states are gathered, then reduced by dist_reduce_fx.
    for name in ("totals", "counts"):
        reduce = first._reductions[name]
        setattr(first, name, reduce(torch.stack([getattr(first, name), getattr(second, name)])))
    assert first.compute()["a"] == 3
