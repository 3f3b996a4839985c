import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from geometry_examples import embedding
from hypothesis import given
from hypothesis import strategies as st
from tensor_sizes import TensorSizes
from torch import Tensor

from tem_vae.geometry import factorize, precision
from tem_vae.studies.article.dense import DenseReference

PIECES = ["right_inverse", "shrinkage", "calibration", "log_volume", "spreading", "whitening"]
GRID = [
    (1, 1, 0.0),
    (1, 7, 0.1),
    (4, 4, 0.0),
    (4, 4, 10.0),
    (5, 9, 1e-6),
    (16, 64, 1e-3),
    (64, 64, 1e-3),
    (8, 1024, 10.0),
    (32, 1024, 0.0),
    (128, 1024, 1e-3),
]


@pytest.mark.parametrize(("rank", "code_dim", "tau"), GRID)
@pytest.mark.parametrize("piece", PIECES)
def test_every_piece_agrees_with_the_dense_oracle_in_value_and_gradient(
    piece: str, rank: int, code_dim: int, tau: float
) -> None:
    E = embedding(rank, code_dim).requires_grad_()
    actual = getattr(factorize(E, tau), piece)
    expected = getattr(DenseReference(E, tau), piece)
    cotangent = torch.randn(expected.shape, dtype=E.dtype, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
    if tau == 0 and piece in {"shrinkage", "calibration"}:
        assert not actual.requires_grad, "S = I whatever E"
        return
    (actual_gradient,) = torch.autograd.grad(actual, E, cotangent, retain_graph=True)
    (expected_gradient,) = torch.autograd.grad(expected, E, cotangent)
    torch.testing.assert_close(actual_gradient, expected_gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("rank", "code_dim", "tau"), [(1, 5, 0.1), (4, 32, 10.0), (16, 64, 0.05)])
def test_right_inverse_is_the_n_by_n_formula(rank: int, code_dim: int, tau: float) -> None:
    E = embedding(rank, code_dim)
    normal = E.mT @ E + tau * torch.eye(code_dim, dtype=E.dtype)
    torch.testing.assert_close(factorize(E, tau).right_inverse, torch.linalg.solve(normal, E.mT))


def test_whitening_undoes_spreading() -> None:
    factorization = factorize(embedding(6, 20), tau=0.5)
    u = torch.randn(3, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(factorization.whiten(factorization.spread(u)), u)


def test_singular_values_of_the_whitening_grow_again_below_sqrt_tau() -> None:
    tau = 0.25
    sigma = torch.tensor([2.0, 0.5, 0.05], dtype=torch.float64)
    E = torch.diag(sigma) @ embedding(3, 8, smallest=1.0, largest=1.0)
    factorization = factorize(E, tau)
    actual = torch.linalg.svdvals(factorization.whitening * factorization.calibration)
    torch.testing.assert_close(actual, (sigma + tau / sigma).sort(descending=True).values)


def test_log_volume_of_the_article_s_embedding() -> None:
    """The dense reference for E uniform in [−1, 1] at (128, 1024), tau = 1e-3, is −679.4576 nats."""
    torch.manual_seed(0)
    E = torch.rand(128, 1024) * 2 - 1
    assert factorize(E, 1e-3).log_volume.item() == pytest.approx(-679.4576, abs=1e-4)


@pytest.mark.parametrize(
    ("piece", "tau"),
    [(piece, 0.3) for piece in PIECES]
    + [(piece, 0.0) for piece in PIECES if piece not in {"shrinkage", "calibration"}],
)
def test_gradcheck(piece: str, tau: float) -> None:
    E = embedding(3, 5).requires_grad_()

    def compute(E: Tensor) -> Tensor:
        return getattr(factorize(E, tau), piece)

    assert torch.autograd.gradcheck(compute, (E,))
    assert torch.autograd.gradgradcheck(compute, (E,))


@given(
    rank=st.integers(1, 6),
    extra=st.integers(0, 6),
    tau=st.sampled_from([0.0, 1e-6, 0.1, 10.0]),
    exponent=st.integers(-60, 60),
    seed=st.integers(0, 1000),
)
def test_gauge_scales_every_piece(rank: int, extra: int, tau: float, exponent: int, seed: int) -> None:
    a = 1.7 * 2.0**exponent
    E = embedding(rank, rank + extra, seed)
    one, other = factorize(E, tau), factorize(a * E, a**2 * tau)
    torch.testing.assert_close(other.right_inverse * a, one.right_inverse)
    torch.testing.assert_close(other.shrinkage, one.shrinkage)
    torch.testing.assert_close(other.calibration, one.calibration)
    torch.testing.assert_close(other.whitening / a, one.whitening)
    torch.testing.assert_close(other.log_volume, one.log_volume - rank * math.log(a))


@pytest.mark.parametrize("scale", [1e-20, 1e20])
@pytest.mark.parametrize("tau", [0.0, 10.0])
def test_float32_neither_overflows_nor_underflows(scale: float, tau: float) -> None:
    E = embedding(4, 16, scale=scale).float().requires_grad_()
    factorization = factorize(E, tau)
    oracle = DenseReference(E.detach().double(), tau)
    torch.testing.assert_close(factorization.spreading.double(), oracle.spreading, rtol=1e-5, atol=0)
    torch.testing.assert_close(factorization.whitening.double(), oracle.whitening, rtol=1e-5, atol=0)
    torch.testing.assert_close(factorization.log_volume, oracle.log_volume)
    (gradient,) = torch.autograd.grad(factorization.log_volume, E)
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("tau", [1e-30, 1e30])
def test_extreme_tau_keeps_the_calibrated_maps_finite(tau: float) -> None:
    sigma = torch.linspace(3.0, 0.3, 5, dtype=torch.float64)
    E = embedding(5, 12)
    factorization = factorize(E.float(), tau)
    singular = torch.linalg.svdvals(factorization.spreading.double())
    # E† has singular values sigma/(sigma² + tau), calibrated so that ‖S beta‖_F = 1.
    shrinkage = sigma**2 / (sigma**2 + tau)
    expected = shrinkage / sigma / shrinkage.norm()
    torch.testing.assert_close(singular, expected.sort(descending=True).values, rtol=1e-5, atol=0)
    torch.testing.assert_close(factorization.log_volume, expected.log().sum(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ill_conditioned_embeddings_are_factorised_accurately(dtype: torch.dtype) -> None:
    """σ from 1 to 1e-5 in unit rows: log volume = M log beta + Σ log σ/(σ² + tau)."""
    tau = 1e-8
    generator = torch.Generator().manual_seed(0)
    left, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=generator))
    right, _ = torch.linalg.qr(torch.randn(24, 6, dtype=torch.float64, generator=generator))
    E = (left * torch.logspace(0, -5, 6, dtype=torch.float64) @ right.mT).to(dtype)
    sigma = torch.linalg.svdvals(E.double())
    shrinkage = sigma**2 / (sigma**2 + tau)
    expected = (shrinkage / sigma / shrinkage.norm()).log().sum()
    assert factorize(E, tau).log_volume.item() == pytest.approx(expected.item(), abs=1e-5)
    assert factorize(E, tau).condition_number == pytest.approx((sigma[0] / sigma[-1]).item(), rel=1e-6)


def test_rows_of_very_different_length_are_no_rank_deficiency() -> None:
    lengths = torch.logspace(0, -25, 5, dtype=torch.float64)
    E = (lengths.diag() @ embedding(5, 9, smallest=1.0, largest=1.0)).float()
    expected = -lengths.log().sum() - 5 * math.log(math.sqrt(5))
    assert factorize(E, tau=0.0).log_volume.item() == pytest.approx(expected.item(), abs=1e-5)


def test_no_n_by_n_array_in_forward_or_backward() -> None:
    E = embedding(3, 50).requires_grad_()
    with TensorSizes() as sizes:
        factorization = factorize(E, tau=0.1)
        total = sum(getattr(factorization, piece).square().sum() for piece in PIECES)
        assert isinstance(total, Tensor)
        total.backward()
    assert sizes.largest == 3 * 50


def test_it_does_not_change_when_e_does() -> None:
    E = embedding(3, 8).float().requires_grad_()
    factorization = factorize(E, tau=0.1)
    before = E.detach().clone()
    expected = factorize(before, tau=0.1).whitening
    with torch.no_grad():
        E.mul_(2)
    torch.testing.assert_close(factorization.embedding, before, rtol=0, atol=0)
    torch.testing.assert_close(factorization.whitening, expected, rtol=0, atol=0)
    with pytest.raises(FrozenInstanceError):
        factorization.__setattr__("tau", 1.0)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_pieces_first_read_without_gradients_still_carry_them(context: type) -> None:
    E = embedding(3, 8).requires_grad_()
    early, late = factorize(E, tau=0.1), factorize(E, tau=0.1)
    with context():
        for piece in PIECES:
            getattr(early, piece)
    for piece in PIECES:
        (actual,) = torch.autograd.grad(getattr(early, piece).sum(), E, retain_graph=True)
        (expected,) = torch.autograd.grad(getattr(late, piece).sum(), E, retain_graph=True)
        torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def test_factorised_without_gradients_stays_without() -> None:
    E = embedding(3, 8).requires_grad_()
    with torch.no_grad():
        factorization = factorize(E, tau=0.1)
    assert not factorization.whitening.requires_grad


def test_attributes_and_dtypes() -> None:
    factorization = factorize(embedding(3, 8).bfloat16(), tau=0.1)
    assert (factorization.rank, factorization.code_dim, factorization.tau) == (3, 8, 0.1)
    assert factorization.embedding.dtype == factorization.right_inverse.dtype == torch.float32
    assert factorization.log_volume.dtype == factorization.shrinkage.dtype == torch.float64
    assert repr(factorization) == "Factorization(tau=0.1, dtype=torch.float32)"


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e20])
def test_devices_without_float64_use_float32(monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    E, tau = embedding(4, 16, scale=scale).float(), 0.1 * scale**2
    expected = factorize(E, tau)
    monkeypatch.setattr(precision, "_DEVICES_WITHOUT_FLOAT64", frozenset({"cpu"}))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = factorize(E, tau)
        assert actual.log_volume.dtype == torch.float32
        assert actual.log_volume.item() == pytest.approx(expected.log_volume.item(), abs=1e-4)
        for piece in ("whitening", "right_inverse", "spreading"):
            wanted = getattr(expected, piece)
            largest = wanted.abs().max().item()
            torch.testing.assert_close(getattr(actual, piece), wanted, rtol=0, atol=1e-5 * largest)


@pytest.mark.parametrize(
    ("E", "message"),
    [
        (torch.zeros(3), r"matrix \(M, N\) with 1 <= M <= N, but its shape is \(3,\)"),
        (torch.zeros(4, 3), r"its shape is \(4, 3\); choose a metric rank M no larger"),
        (torch.zeros(0, 3), r"its shape is \(0, 3\)"),
        (torch.zeros(2, 3, dtype=torch.int64), "real floating point, but its dtype is torch.int64"),
        (torch.zeros(2, 3, dtype=torch.complex64), "real floating point, but its dtype is torch.complex64"),
        (torch.tensor([[1.0, math.nan]]), "must be finite, but it has NaN or infinite entries"),
        (torch.tensor([[1.0, -math.inf]]), "must be finite, but it has NaN or infinite entries"),
    ],
)
def test_what_is_no_embedding_is_refused(E: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        factorize(E, tau=0.1)


@pytest.mark.parametrize("tau", [-1e-9, math.inf, math.nan])
def test_what_is_no_regulariser_is_refused(tau: float) -> None:
    with pytest.raises(ValueError, match=f"tau must be finite and >= 0, but it is {tau}"):
        factorize(torch.eye(2), tau)
