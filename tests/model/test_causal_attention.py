"""Causal attention is that of the plain formula, values and gradients, in memory linear in time."""

import pytest
import torch
from torch import Tensor

from tem_vae.geometry.precision import smallest_share
from tem_vae.model import causal_attention
from tem_vae.model.causal_attention import causal_attention as attend

SIZES = [(1, 2, 1), (2, 3, 2), (1, 4, 17), (3, 2, 257), (1, 1, 1500)]


def factors(samples: int, batch: int, time: int, dtype: torch.dtype, spread: float = 5.0) -> list[Tensor]:
    torch.manual_seed(0)
    shapes = (
        (batch, time, 8),
        (batch, time, 8),
        (samples, batch, time, 5),
        (batch, time, 5),
        (batch, time, 3),
    )
    scales = (0.6 * spread, 1.0, spread, 4.0, 2.0)
    return [(scale * torch.randn(shape)).to(dtype) for shape, scale in zip(shapes, scales, strict=True)]


def plain(
    first_q: Tensor, first_k: Tensor, second_q: Tensor, second_k: Tensor, values: Tensor, seen: Tensor
) -> list[Tensor]:
    first, second = first_q @ first_k.mT, second_q @ second_k.mT
    first, second = first[:, 1:], second[:, :, 1:]
    future = torch.ones(first.shape[-2:], dtype=torch.bool).triu(1)
    hidden = future | ~seen[:, None]
    logits = (first, second, first + second)
    sums = [each.masked_fill(hidden, -torch.inf).logsumexp(-1) for each in logits]
    return [*sums, first.masked_fill(hidden, -torch.inf).softmax(-1) @ values]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kept", [0, 2**21])
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("under_autocast", [False, True])
@pytest.mark.parametrize(
    ("dtype", "spread", "tolerance"), [(torch.float64, 5.0, 1e-10), (torch.float32, 1.0, 3e-4)]
)
def test_values_and_gradients_are_those_of_the_plain_formula(
    size: tuple[int, int, int],
    kept: int,
    missing: float,
    under_autocast: bool,
    dtype: torch.dtype,
    spread: float,
    tolerance: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(causal_attention, "_LOGITS_KEPT", kept)
    given = [factor.requires_grad_() for factor in factors(*size, dtype, spread)]
    exact = [factor.detach().double().requires_grad_() for factor in given]
    seen = torch.rand(given[0].shape[:2]) >= missing
    seen[:, :1] = True
    expected = plain(*exact, seen)
    weights = [torch.randn_like(each) for each in expected]
    wanted = torch.autograd.grad(expected, exact, weights)
    with torch.autocast("cpu", torch.bfloat16, enabled=under_autocast):
        found = attend(*given, seen=seen)
        gradients = torch.autograd.grad(list(found), given, [weight.to(dtype) for weight in weights])
    for value, want in zip((*found, *gradients), (*expected, *wanted), strict=True):
        assert value.dtype == dtype
        torch.testing.assert_close(value.double(), want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kept", [0, 2**21])
def test_what_is_negligible_in_one_kind_is_negligible_in_both(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 0 and 1 are 60 nats apart in A, and in B the other way round: what is left is 2 × 35 nats."""
    monkeypatch.setattr(causal_attention, "_LOGITS_KEPT", kept)
    one = torch.ones(1, 3, 1)
    keys = torch.tensor([[[0.0], [-60.0], [0.0]]], requires_grad=True)
    found = attend(one, keys, one[None], -60 - keys, one, seen=torch.ones(1, 3, dtype=torch.bool))
    assert found.first[0, 1] == found.second[0, 0, 1] == 0
    torch.testing.assert_close(found.both[0, 0, 1].item(), 2 * smallest_share(torch.float32))
    (gradient,) = torch.autograd.grad(found.both[..., 1].sum(), keys)
    assert not gradient.any()


@pytest.mark.parametrize("time", [40, 1500])
def test_a_step_gives_no_gradient_to_itself_or_later_ones(time: int) -> None:
    given = [factor.requires_grad_() for factor in factors(1, 1, time, torch.float32)]
    seen = torch.ones(1, time, dtype=torch.bool)
    found = attend(*given, seen=seen)
    at_31 = [*(each[..., 30].sum() for each in found[:3]), found.mean[:, 30].sum()]
    _, first, _, second, values = torch.autograd.grad(at_31, given)
    for gradient in (first, second, values):
        assert gradient[:, :31].any()
        assert not gradient[:, 31:].any()


def test_what_is_not_a_number_stays_visible() -> None:
    given = factors(1, 1, 20, torch.float32)
    seen = torch.ones(1, 20, dtype=torch.bool)
    given[1][0, 7] = torch.nan
    found = attend(*given, seen=seen)
    assert found.first[0, :7].isfinite().all()
    assert found.first[0, 7:].isnan().all()
    assert found.both[0, 0, 7:].isnan().all()
    assert found.mean[0, 7:].isnan().all()


@pytest.mark.parametrize("kept", [0, 2**21])
@pytest.mark.parametrize("time", [40, 1500])
def test_steps_that_see_nothing_give_no_gradient(
    time: int, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causal_attention, "_LOGITS_KEPT", kept)
    given = [factor.requires_grad_() for factor in factors(1, 1, time, torch.float32)]
    seen = torch.zeros(1, time, dtype=torch.bool)
    seen[:, 30:] = True
    found = attend(*given, seen=seen)
    assert (torch.cat([each.flatten()[:30] for each in found[:3]]) < -1e29).all()
    assert found.mean.isfinite().all()
    rest = torch.logaddexp(found.both, torch.zeros(()))
    gradients = torch.autograd.grad(
        rest[..., :30].sum() + rest[..., 31:].sum(), given, materialize_grads=True
    )
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert gradients[1][:, :30].abs().max() < 1e-30
