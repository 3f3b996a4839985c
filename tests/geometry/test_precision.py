"""The geometry computes in float32 or better, whatever the trainer asks for."""

from collections.abc import Callable, Iterator

import pytest
import torch
from geometry_examples import codes, embedding
from tensor_sizes import TensorSizes
from torch import Tensor
from torch.distributions import kl_divergence

from tem_vae.geometry import Neighborhood, NeighborhoodMixture, Pseudometric, factorize

E = embedding(4, 16).float()
A, B = codes(2, 6, 16).float()


def _metric() -> Pseudometric:
    metric = Pseudometric(16, 4, 1e-3, normalize=True)
    with torch.no_grad():
        metric.weight.copy_(E)
    return metric


def _pieces() -> Tensor:
    factorization = factorize(E, 1e-3)
    names = ("embedding", "right_inverse", "shrinkage", "calibration", "log_volume", "spreading", "whitening")
    return torch.cat([getattr(factorization, name).flatten() for name in names])


def _neighborhoods() -> tuple[Neighborhood, Neighborhood]:
    factorization = factorize(E, 1e-3)
    return Neighborhood(A, 0.1, factorization), Neighborhood(B, 0.2, factorization)


def _samples() -> Tensor:
    torch.manual_seed(0)
    return torch.cat(_neighborhoods()[0].rsample_with_u(), dim=-1)


def _mixture() -> NeighborhoodMixture:
    q, p = _neighborhoods()
    return NeighborhoodMixture(
        codes(6, 7).float().log_softmax(-1), p, Neighborhood(A[0], 1.0, q.factorization)
    )


def _mixture_samples() -> Tensor:
    torch.manual_seed(0)
    return _mixture().sample()


COMPUTATIONS: dict[str, Callable[[], Tensor]] = {
    "factorization": _pieces,
    "embedding": lambda: _metric().E,
    "distance": lambda: _metric().distance(A, B),
    "pairwise distance": lambda: _metric().pairwise_distance(A, B),
    "attention": lambda: _metric().attention_logits(A, B, 0.1),
    "samples": _samples,
    "log_prob": lambda: _neighborhoods()[0].log_prob(B),
    "kl": lambda: kl_divergence(*_neighborhoods()),
    "entropy": lambda: _neighborhoods()[0].entropy(),
    "mixture": lambda: _mixture().log_prob(A),
    "mixture mean": lambda: _mixture().mean,
    "mixture mode": lambda: _mixture().mode,
    "mixture samples": _mixture_samples,
}
every_computation = pytest.mark.parametrize("compute", COMPUTATIONS.values(), ids=COMPUTATIONS.keys())


@pytest.fixture
def medium_precision() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    yield
    torch.set_float32_matmul_precision(before)


@every_computation
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_changes_nothing(compute: Callable[[], Tensor], dtype: torch.dtype) -> None:
    expected = compute()
    with torch.autocast("cpu", dtype=dtype):
        actual = compute()
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


@every_computation
@pytest.mark.usefixtures("medium_precision")
def test_products_of_rounded_factors_are_avoided(compute: Callable[[], Tensor]) -> None:
    with TensorSizes() as record:
        actual = compute()
    assert record.product_dtypes <= {torch.float64}
    torch.set_float32_matmul_precision("highest")
    torch.testing.assert_close(actual, compute(), rtol=1e-3, atol=1e-4)


def test_products_are_in_float32_where_they_are_exact() -> None:
    with TensorSizes() as record:
        COMPUTATIONS["distance"]()
    assert record.product_dtypes == {torch.float32}


def test_gradients_under_autocast_are_those_without() -> None:
    gradients = []
    for enabled in (False, True):
        metric = _metric()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            factorization = metric.factorize()
            memories = Neighborhood(B, 0.2, factorization)
            null = Neighborhood(A[0], 1.0, factorization)
            mixture = NeighborhoodMixture(codes(6, 7).float().log_softmax(-1), memories, null)
            loss = mixture.log_prob(A).sum() + metric.pairwise_distance(A, B).sum() + memories.entropy().sum()
        loss.backward()
        gradients.append(metric.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=0, atol=0)


def test_half_precision_codes_are_promoted() -> None:
    factorization = factorize(E.bfloat16(), 1e-3)
    neighborhood = Neighborhood(A.bfloat16(), 0.5, factorization)
    z, u = neighborhood.rsample_with_u()
    assert z.dtype == u.dtype == neighborhood.center.dtype == torch.float32
    assert (
        neighborhood.log_prob(z.half()).dtype == neighborhood.log_prob(z, u=u.half()).dtype == torch.float32
    )
    assert _metric().pairwise_distance(A.half(), B.bfloat16()).dtype == torch.float32


def test_double_precision_of_any_argument_is_kept() -> None:
    factorization = factorize(E.double(), 1e-3)
    neighborhood = Neighborhood(A, 0.5, factorization)
    z, u = neighborhood.rsample_with_u()
    assert z.dtype == u.dtype == neighborhood.scale.dtype == neighborhood.log_prob(B).dtype == torch.float64
    single = Neighborhood(A, 0.5, factorize(E, 1e-3))
    assert single.log_prob(B.double()).dtype == torch.float64
