import math

import pytest
import torch
from geometry_examples import codes, embedding
from hypothesis import given
from hypothesis import strategies as st
from tensor_sizes import TensorSizes
from torch import Tensor
from torch.distributions import kl_divergence

from tem_vae.geometry import Neighborhood, factorize
from tem_vae.studies.article.dense import DenseReference

GRID = [
    (1, 1, 0.0),
    (1, 7, 0.1),
    (4, 4, 0.0),
    (5, 9, 1e-6),
    (16, 64, 1e-3),
    (16, 64, 10.0),
    (64, 64, 1e-3),
    (32, 1024, 0.0),
    (128, 1024, 1e-3),
]


class TestLogProb:
    @pytest.mark.parametrize(("rank", "code_dim", "tau"), GRID)
    def test_value_and_gradients_agree_with_the_dense_oracle(
        self, rank: int, code_dim: int, tau: float
    ) -> None:
        inputs = {
            "E": embedding(rank, code_dim).requires_grad_(),
            "center": codes(3, code_dim).requires_grad_(),
            "z": (codes(3, code_dim) + 0.1 * codes(3, code_dim, seed=1)).requires_grad_(),
        }
        scale = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
        neighborhood = Neighborhood(inputs["center"], scale, factorize(inputs["E"], tau))
        actual = neighborhood.log_prob(inputs["z"])
        expected = DenseReference(inputs["E"], tau).log_prob(inputs["z"], scale, inputs["center"])
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
        wanted = [*inputs.values(), scale]
        gradients = zip(
            torch.autograd.grad(actual.sum(), wanted),
            torch.autograd.grad(expected.sum(), wanted),
            strict=True,
        )
        for actual_gradient, expected_gradient in gradients:
            largest = expected_gradient.abs().max().item()
            torch.testing.assert_close(actual_gradient, expected_gradient, rtol=0, atol=1e-9 * largest)

    @pytest.mark.parametrize(("rank", "code_dim", "tau"), GRID)
    @pytest.mark.parametrize("scale", [0.1, 1.0])
    def test_cached_and_recomputed_agree_in_float64(
        self, rank: int, code_dim: int, tau: float, scale: float
    ) -> None:
        torch.manual_seed(0)
        neighborhood = Neighborhood(codes(8, code_dim), scale, factorize(embedding(rank, code_dim), tau))
        z, u = neighborhood.rsample_with_u((4,))
        torch.testing.assert_close(neighborhood.log_prob(z), neighborhood.log_prob(z, u=u), rtol=0, atol=1e-9)

    @pytest.mark.parametrize(("rank", "code_dim", "tau"), GRID)
    @pytest.mark.parametrize("scale", [0.1, 1.0])
    def test_cached_and_recomputed_agree_within_the_rounding_bound_in_float32(
        self, rank: int, code_dim: int, tau: float, scale: float
    ) -> None:
        torch.manual_seed(0)
        factorization = factorize(embedding(rank, code_dim).float(), tau)
        neighborhood = Neighborhood(codes(8, code_dim).float(), scale, factorization)
        z, u = neighborhood.rsample_with_u((4,))
        error = (neighborhood.log_prob(z) - neighborhood.log_prob(z, u=u)).abs().double()
        bound = _rounding_bound(neighborhood, z, u)
        assert (error <= bound).all()
        assert bound.max() < 0.5, "a bound that says something"

    @given(
        rank=st.integers(1, 6),
        extra=st.integers(0, 6),
        tau=st.sampled_from([0.0, 1e-6, 0.1, 10.0]),
        scale=st.floats(0.01, 100),
        seed=st.integers(0, 1000),
    )
    def test_only_the_displacement_that_e_sees_counts(
        self, rank: int, extra: int, tau: float, scale: float, seed: int
    ) -> None:
        E = embedding(rank, rank + extra, seed)
        factorization = factorize(E, tau)
        center, z, shift = codes(3, 5, rank + extra, seed=seed)
        silent = shift - shift @ E.mT @ torch.linalg.pinv(E).mT
        expected = Neighborhood(center, scale, factorization).log_prob(z)
        along_kernel = Neighborhood(center, scale, factorization).log_prob(z + silent)
        translated = Neighborhood(center + shift, scale, factorization).log_prob(z + shift)
        torch.testing.assert_close(along_kernel, expected, rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(translated, expected, rtol=1e-8, atol=1e-8)

    @given(
        rank=st.integers(1, 6),
        extra=st.integers(0, 6),
        tau=st.sampled_from([0.0, 1e-6, 0.1, 10.0]),
        exponent=st.integers(-60, 60),
        seed=st.integers(0, 1000),
    )
    def test_gauge_changes_nothing(self, rank: int, extra: int, tau: float, exponent: int, seed: int) -> None:
        a = 1.7 * 2.0**exponent
        E, center = embedding(rank, rank + extra, seed), codes(3, rank + extra, seed=seed)
        one = Neighborhood(center, 0.5, factorize(E, tau))
        other = Neighborhood(center, 0.5 * a, factorize(a * E, a**2 * tau))
        torch.manual_seed(seed)
        z, u = one.rsample_with_u()
        torch.manual_seed(seed)
        torch.testing.assert_close(other.rsample(), z)
        torch.testing.assert_close(other.log_prob(z), one.log_prob(z))
        torch.testing.assert_close(other.log_prob(z, u=u), one.log_prob(z, u=u))
        torch.testing.assert_close(other.entropy(), one.entropy())
        torch.testing.assert_close(
            kl_divergence(other, Neighborhood(z, a, other.factorization)),
            kl_divergence(one, Neighborhood(z, 1.0, one.factorization)),
        )

    @pytest.mark.parametrize("tau", [0.0, 0.3])
    def test_gradcheck(self, tau: float) -> None:
        def compute(E: Tensor, center: Tensor, scale: Tensor, z: Tensor) -> Tensor:
            return Neighborhood(center, scale, factorize(E, tau), validate_args=False).log_prob(z)

        scale = torch.tensor([0.5, 2.0], dtype=torch.float64)
        inputs = [embedding(2, 4), codes(2, 4), scale, codes(3, 2, 4, seed=1)]
        for tensor in inputs:
            tensor.requires_grad_()
        assert torch.autograd.gradcheck(compute, inputs)
        assert torch.autograd.gradgradcheck(compute, inputs)

    def test_with_u_no_operation_sees_an_n_dimensional_array(self) -> None:
        rank, code_dim = 3, 17
        factorization = factorize(embedding(rank, code_dim).requires_grad_(), tau=0.1)
        neighborhood = Neighborhood(codes(5, code_dim), codes(5).exp(), factorization)
        assert factorization.log_volume.isfinite()
        unread = torch.full((5, code_dim), math.nan)
        with TensorSizes() as sizes:
            log_prob = neighborhood.log_prob(unread, u=codes(5, rank))
        assert log_prob.isfinite().all()
        assert not any(code_dim in shape for shape in sizes.shapes)

    def test_reparameterised_gradient_is_the_same_with_and_without_u(self) -> None:
        """The noise u does not depend on the parameters: through z all but the constants cancel."""
        E, scale = embedding(3, 7).requires_grad_(), torch.tensor(0.5, dtype=torch.float64).requires_grad_()
        center = codes(4, 7).requires_grad_()
        neighborhood = Neighborhood(center, scale, factorize(E, 0.1))
        torch.manual_seed(0)
        z, u = neighborhood.rsample_with_u()
        for recomputed, cached in zip(
            torch.autograd.grad(neighborhood.log_prob(z).sum(), (E, scale, center), retain_graph=True),
            torch.autograd.grad(
                neighborhood.log_prob(z, u=u).sum(), (E, scale, center), materialize_grads=True
            ),
            strict=True,
        ):
            torch.testing.assert_close(recomputed, cached, rtol=1e-9, atol=1e-9)


def _rounding_bound(neighborhood: Neighborhood, z: Tensor, u: Tensor) -> Tensor:
    """What float32 rounding can do to the recomputed log-density of samples z made from u, (*sample, *B).

    With unit roundoff r, a dot product of n terms errs by at most (n + 1) r times the sum of their moduli,
    one r of it for the rounded matrix. Errors in z: of beta E†u, of its product with eps and of the sum.
    Errors in u: those, and of z − z0, the product by the whitening W and the division by eps; then of the
    sums of squares and of the constants on both sides.
    """
    r = torch.finfo(torch.float32).eps / 2
    factorization = neighborhood.factorization
    rank, code_dim = factorization.rank, factorization.code_dim
    W, B = factorization.whitening.double().abs(), factorization.spreading.double().abs()
    scale = neighborhood.scale.double().unsqueeze(-1)
    u, z = u.double().abs(), z.double()
    displacement = (z - neighborhood.center.double()).abs()
    z_error = (rank + 4) * r * scale * (u @ B.mT) + r * z.abs() + r * displacement
    u_error = (z_error @ W.mT + (code_dim + 3) * r * (displacement @ W.mT)) / scale + 2 * r * u
    squares = u.square().sum(-1)
    sums = (rank + 2) * r * (squares + (u + u_error).square().sum(-1)) / 2
    constant = 0.5 * rank * math.log(2 * math.pi) + neighborhood._log_volume().double().abs()
    return (u * u_error).sum(-1) + 0.5 * u_error.square().sum(-1) + sums + 4 * r * (constant + squares)


class TestShapes:
    @pytest.mark.parametrize(
        ("center", "scale", "batch"),
        [
            ((7,), (), ()),
            ((7,), (5,), (5,)),
            ((5, 7), (), (5,)),
            ((5, 7), (5,), (5,)),
            ((4, 5, 7), (5,), (4, 5)),
            ((4, 5, 7), (4, 1), (4, 5)),
        ],
    )
    def test_center_and_scale_broadcast(
        self, center: tuple[int, ...], scale: tuple[int, ...], batch: tuple[int, ...]
    ) -> None:
        neighborhood = Neighborhood(codes(*center), codes(*scale).exp(), factorize(embedding(3, 7), 0.1))
        z, u = neighborhood.rsample_with_u((2,))
        assert (neighborhood.batch_shape, neighborhood.event_shape) == (batch, (7,))
        assert (z.shape, u.shape) == ((2, *batch, 7), (2, *batch, 3))
        assert neighborhood.log_prob(z).shape == neighborhood.log_prob(z, u=u).shape == (2, *batch)
        assert neighborhood.entropy().shape == neighborhood.scale.shape == batch
        assert neighborhood.mean.shape == neighborhood.variance.shape == (*batch, 7)
        assert neighborhood.whitened_center.shape == (*batch, 3)

    def test_scale_is_per_sample(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        center, scale = codes(2, 7), torch.tensor([0.1, 2.0], dtype=torch.float64)
        z = codes(2, 7, seed=1)
        together = Neighborhood(center, scale, factorization).log_prob(z)
        apart = [Neighborhood(center[i], scale[i].item(), factorization).log_prob(z[i]) for i in range(2)]
        torch.testing.assert_close(together, torch.stack(apart))

    @pytest.mark.parametrize("validate_args", [False, True])
    def test_expand(self, validate_args: bool) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        one = Neighborhood(codes(5, 7), 0.5, factorization, validate_args=validate_args)
        many = one.expand((4, 5))
        z = codes(4, 5, 7, seed=1)
        assert many.batch_shape == (4, 5)
        assert many.factorization is factorization
        assert many._validate_args is validate_args
        torch.testing.assert_close(many.log_prob(z), one.log_prob(z))
        torch.testing.assert_close(many.whitened_center, one.whitened_center.expand(4, 5, 3))
        assert many.rsample().shape == (4, 5, 7)

    def test_validation_can_be_turned_off(self) -> None:
        neighborhood = Neighborhood(codes(7), 0.5, factorize(embedding(3, 7), 0.1), validate_args=False)
        assert neighborhood.log_prob(torch.full((7,), math.nan)).isnan()


class TestWhitenedCenter:
    def test_it_is_computed_once(self) -> None:
        neighborhood = Neighborhood(codes(5, 7), 0.5, factorize(embedding(3, 7), 0.1))
        assert neighborhood.whitened_center is neighborhood.whitened_center

    @pytest.mark.parametrize("expanded", [False, True])
    def test_first_read_without_gradients_it_still_carries_them(self, expanded: bool) -> None:
        center = codes(5, 7).requires_grad_()
        neighborhood = Neighborhood(center, 0.5, factorize(embedding(3, 7), 0.1))
        with torch.no_grad():
            neighborhood = neighborhood.expand((1, 5)) if expanded else neighborhood
            assert neighborhood.whitened_center.shape[-2:] == (5, 3)
        (gradient,) = torch.autograd.grad(neighborhood.whitened_center.sum(), center)
        torch.testing.assert_close(gradient, neighborhood.factorization.whitening.sum(0).expand(5, 7))


class TestRefusals:
    def test_center_of_the_wrong_length(self) -> None:
        message = r"center must have shape \(\*, 7\), its last axis the code dimension N of E, .* is \(5, 6\)"
        with pytest.raises(ValueError, match=message):
            Neighborhood(torch.zeros(5, 6), 0.5, factorize(embedding(3, 7), 0.1))

    def test_scale_that_does_not_broadcast(self) -> None:
        with pytest.raises(ValueError, match=r"scale of shape \(4,\) does not broadcast .* \(5,\) of center"):
            Neighborhood(torch.zeros(5, 7), torch.ones(4), factorize(embedding(3, 7), 0.1))

    @pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
    def test_scale_that_is_not_positive(self, scale: float) -> None:
        with pytest.raises(ValueError, match="scale"):
            Neighborhood(torch.zeros(5, 7), scale, factorize(embedding(3, 7), 0.1))

    def test_center_that_is_not_a_number(self) -> None:
        with pytest.raises(ValueError, match="center"):
            Neighborhood(torch.full((7,), math.nan), 0.5, factorize(embedding(3, 7), 0.1))

    def test_code_that_is_not_a_number_or_of_the_wrong_length(self) -> None:
        neighborhood = Neighborhood(torch.zeros(7), 0.5, factorize(embedding(3, 7), 0.1))
        with pytest.raises(ValueError, match="within the support"):
            neighborhood.log_prob(torch.full((7,), math.nan))
        with pytest.raises(ValueError, match="event_shape"):
            neighborhood.log_prob(torch.zeros(6))

    def test_noise_of_the_wrong_length(self) -> None:
        neighborhood = Neighborhood(torch.zeros(7), 0.5, factorize(embedding(3, 7), 0.1))
        with pytest.raises(ValueError, match=r"u must have shape \(\*, 3\), its last axis the metric rank M"):
            neighborhood.log_prob(torch.zeros(7), u=torch.zeros(7))
