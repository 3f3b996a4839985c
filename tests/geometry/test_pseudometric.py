import math

import pytest
import torch
from geometry_examples import codes, embedding
from hypothesis import given
from hypothesis import strategies as st
from tensor_sizes import TensorSizes
from torch import Tensor

from tem_vae.geometry import Pseudometric
from tem_vae.geometry.euclidean import pairwise_squared_distance


def metric_of(E: Tensor, tau: float = 1e-3, normalize: bool = False) -> Pseudometric:
    rank, code_dim = E.shape
    metric = Pseudometric(code_dim, rank, tau, normalize=normalize).to(E.dtype)
    with torch.no_grad():
        metric.weight.copy_(E)
    return metric


sizes = st.integers(1, 6).flatmap(lambda rank: st.tuples(st.just(rank), st.integers(rank, 10)))


@given(size=sizes, normalize=st.booleans(), seed=st.integers(0, 1000), spread=st.floats(1e-6, 1e6))
def test_pseudometric_axioms(size: tuple[int, int], normalize: bool, seed: int, spread: float) -> None:
    metric = metric_of(embedding(*size, seed), normalize=normalize)
    a, b, c = spread * codes(3, 8, size[1], seed=seed)
    ab, bc, ac = metric.distance(a, b), metric.distance(b, c), metric.distance(a, c)
    assert (ab >= 0).all()
    torch.testing.assert_close(ab, metric.distance(b, a), rtol=0, atol=0)
    torch.testing.assert_close(metric.distance(a, a), torch.zeros_like(ab), rtol=0, atol=0)
    assert (ac <= (ab + bc) * (1 + 1e-12)).all()


@given(size=sizes, seed=st.integers(0, 1000))
def test_what_lies_in_the_kernel_or_moves_both_codes_does_not_count(size: tuple[int, int], seed: int) -> None:
    E = embedding(*size, seed)
    metric = metric_of(E)
    a, b, shift = codes(3, 8, size[1], seed=seed)
    silent = shift - shift @ E.mT @ torch.linalg.pinv(E).mT
    expected = metric.distance(a, b)
    torch.testing.assert_close(metric.distance(a + silent, b), expected)
    torch.testing.assert_close(metric.distance(a + shift, b + shift), expected)


@given(size=sizes, seed=st.integers(0, 1000), exponent=st.integers(-60, 60))
def test_distance_scales_with_e_and_only_the_normalised_one_does_not(
    size: tuple[int, int], seed: int, exponent: int
) -> None:
    E, factor = embedding(*size, seed), 1.7 * 2.0**exponent
    a, b = codes(2, 8, size[1], seed=seed)
    free = metric_of(E).distance(a, b)
    torch.testing.assert_close(metric_of(factor * E).distance(a, b), factor * free)
    fixed = metric_of(E, normalize=True).distance(a, b)
    torch.testing.assert_close(metric_of(factor * E, normalize=True).distance(a, b), fixed)


def test_distance_is_the_norm_of_the_embedded_difference() -> None:
    E = embedding(3, 7)
    metric = metric_of(E)
    a, b = codes(2, 4, 5, 7)
    expected = torch.linalg.vector_norm((a - b) @ E.mT, dim=-1)
    torch.testing.assert_close(metric.distance(a, b), expected)
    torch.testing.assert_close(metric.distance(a, b, squared=True), expected**2)


@pytest.mark.parametrize("squared", [False, True])
def test_pairwise_distance_is_the_distance_of_every_pair(squared: bool) -> None:
    metric = metric_of(embedding(3, 7))
    a, b = codes(2, 4, 7), codes(2, 5, 7, seed=1)
    expected = metric.distance(a.unsqueeze(-2), b.unsqueeze(-3), squared=squared)
    torch.testing.assert_close(metric.pairwise_distance(a, b, squared=squared), expected)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("name", ["distance", "pairwise_distance"])
def test_gradcheck(name: str, squared: bool) -> None:
    metric = metric_of(embedding(2, 4), normalize=True)
    a, b = codes(3, 4).requires_grad_(), codes(3, 4, seed=1).requires_grad_()

    def compute(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
        arguments = (a, b, squared)
        return torch.func.functional_call(_Calling(metric, name), {"metric.weight": weight}, arguments)

    weight = metric.weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(compute, (a, b, weight))
    assert torch.autograd.gradgradcheck(compute, (a, b, weight))


class _Calling(torch.nn.Module):
    """Makes one method of a metric its forward."""

    def __init__(self, metric: Pseudometric, name: str) -> None:
        super().__init__()
        self.metric = metric
        self.name = name

    def forward(self, a: Tensor, b: Tensor, squared: bool) -> Tensor:
        return getattr(self.metric, self.name)(a, b, squared=squared)


def test_gradients_of_distances_are_zero_where_codes_coincide() -> None:
    metric = metric_of(embedding(3, 7).float())
    a = codes(4, 7).float().requires_grad_()
    metric.distance(a, a.detach()).sum().backward()
    assert a.grad is not None
    torch.testing.assert_close(a.grad, torch.zeros_like(a), rtol=0, atol=0)
    assert metric.weight.grad is not None
    assert metric.weight.grad.isfinite().all()


def test_gradients_of_pairwise_distances_are_finite_where_codes_coincide() -> None:
    metric = metric_of(embedding(3, 7).float())
    a = codes(6, 7).float()[[0, 1, 2, 3, 0, 1]].requires_grad_()
    pairs = metric.pairwise_distance(a, a.detach())
    apart = ~(torch.arange(6) % 4 == torch.arange(6).unsqueeze(1) % 4)
    (actual,) = torch.autograd.grad(pairs.sum(), a, retain_graph=True)
    expected = metric.distance(a.unsqueeze(1), a.detach())
    (expected_gradient,) = torch.autograd.grad(expected[apart].sum(), a)
    torch.testing.assert_close(actual, expected_gradient, rtol=1e-4, atol=1e-4)


def test_rounding_makes_no_squared_distance_negative() -> None:
    metric, a = metric_of(torch.eye(8, dtype=torch.float64)), 100 * codes(50, 8)
    assert pairwise_squared_distance(a, a).min() < 0, "rounding shows in the bare product"
    assert (metric.pairwise_distance(a, a, squared=True) >= 0).all()
    assert metric.pairwise_distance(a, a).isfinite().all()
    assert (metric.attention_logits(a, a, 0.1) <= 0).all()


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_float32_distances_neither_vanish_nor_overflow(scale: float) -> None:
    E = embedding(3, 7)
    a, b = codes(4, 7), codes(5, 7, seed=1)
    metric = metric_of((scale * E).float())
    expected = scale * metric_of(E).pairwise_distance(a, b)
    pairwise = metric.pairwise_distance(a.float(), b.float())
    torch.testing.assert_close(pairwise.double(), expected, rtol=1e-5, atol=0)
    single = metric.distance(a[:, None].float(), b.float())
    torch.testing.assert_close(single.double(), expected, rtol=1e-5, atol=0)
    normalised = metric_of((scale * E).float(), normalize=True).E
    torch.testing.assert_close(normalised.square().sum(), torch.tensor(3.0))


def test_close_codes_far_from_the_origin_keep_their_distance() -> None:
    """In float32 the terms of ‖a‖² + ‖b‖² − 2a·b would lose d² = 4e-6 beside ‖a‖² = 1e6."""
    metric = metric_of(torch.eye(4))
    a = torch.full((1, 4), 500.0)
    b = a + torch.tensor([2.0**-9, 0.0, 0.0, 0.0])
    torch.testing.assert_close(metric.pairwise_distance(a, b), torch.tensor([[2.0**-9]]), rtol=1e-6, atol=0)


@pytest.mark.parametrize("bandwidth", [0.5, torch.tensor(0.5), torch.tensor([[[0.5]], [[2.0]]])])
def test_attention_logits(bandwidth: float | Tensor) -> None:
    metric = metric_of(embedding(3, 7))
    queries, keys = codes(2, 4, 7), codes(2, 5, 7, seed=1)
    expected = -(metric.pairwise_distance(queries, keys) ** 2) / (2 * torch.as_tensor(bandwidth) ** 2)
    torch.testing.assert_close(metric.attention_logits(queries, keys, bandwidth), expected)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan])
def test_attention_logits_refuse_a_bandwidth_that_is_not_positive(bandwidth: float) -> None:
    metric = Pseudometric(code_dim=4, rank=2, tau=0.1)
    with pytest.raises(ValueError, match=f"bandwidth must be positive, but it is {bandwidth}"):
        metric.attention_logits(torch.zeros(3, 4), torch.zeros(3, 4), bandwidth)


def test_pairwise_distance_forms_no_array_of_differences() -> None:
    metric = metric_of(embedding(8, 16))
    a, b = codes(30, 16).requires_grad_(), codes(40, 16, seed=1).requires_grad_()
    with TensorSizes() as record:
        metric.pairwise_distance(a, b).sum().backward()
    assert record.largest == 30 * 40


@pytest.mark.parametrize(("rank", "code_dim"), [(1, 1), (3, 8), (8, 8)])
@pytest.mark.parametrize("normalize", [False, True])
def test_rows_start_orthonormal(rank: int, code_dim: int, normalize: bool) -> None:
    torch.manual_seed(0)
    E = Pseudometric(code_dim, rank, tau=0.0, normalize=normalize).E
    torch.testing.assert_close(E @ E.mT, torch.eye(rank))


def test_initial_weights_follow_the_global_seed() -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(Pseudometric(code_dim=8, rank=3, tau=0.1).weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_normalised_embedding_has_norm_sqrt_rank_and_carries_gradients() -> None:
    metric = metric_of(embedding(3, 7), normalize=True)
    torch.testing.assert_close(metric.E.square().sum(), torch.tensor(3.0, dtype=torch.float64))
    (metric.E**3).sum().backward()
    assert metric.weight.grad is not None
    radial = (metric.weight.grad * metric.weight).sum()
    torch.testing.assert_close(radial, torch.zeros_like(radial))
    assert metric.weight.grad.norm() > 1e-3


def test_zero_weight_makes_every_distance_zero_not_nan() -> None:
    metric = metric_of(torch.zeros(2, 4), normalize=True)
    assert torch.equal(metric.distance(torch.ones(3, 4), torch.zeros(3, 4)), torch.zeros(3))


def test_factorize_is_fresh_and_of_the_embedding_in_use() -> None:
    metric = metric_of(embedding(3, 7), tau=0.25, normalize=True)
    first, second = metric.factorize(), metric.factorize()
    assert first is not second
    assert first.tau == 0.25
    torch.testing.assert_close(first.embedding, metric.E)


def test_neighborhood_has_the_center_and_scale_it_was_asked_for() -> None:
    metric = metric_of(embedding(3, 7))
    center = codes(5, 7)
    neighborhood = metric.neighborhood(center, scale=0.3)
    assert torch.equal(neighborhood.mean, center)
    assert torch.equal(neighborhood.scale, torch.full((5,), 0.3, dtype=torch.float64))
    torch.testing.assert_close(neighborhood.factorization.embedding, metric.E)


@pytest.mark.parametrize("rank", [0, 9, -1])
def test_impossible_rank_is_refused(rank: int) -> None:
    with pytest.raises(ValueError, match=rf"rank must be in 1\.\.8 \(the code dimension\), but it is {rank}"):
        Pseudometric(code_dim=8, rank=rank, tau=0.1)


def test_impossible_tau_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tau must be finite and >= 0, but it is -1"):
        Pseudometric(code_dim=8, rank=2, tau=-1.0)


def test_repr_names_the_settings() -> None:
    shown = repr(Pseudometric(code_dim=8, rank=2, tau=0.1, normalize=True))
    assert shown == "Pseudometric(code_dim=8, rank=2, tau=0.1, normalize=True)"
