import math

import pytest
import torch
from geometry_examples import causal_log_weights, codes, embedding, mixture_of
from tensor_sizes import TensorSizes
from torch import Tensor

from tem_vae.geometry import Neighborhood, NeighborhoodMixture, factorize
from tem_vae.studies.article.dense import DenseReference


class TestLogProb:
    @pytest.mark.parametrize(
        ("rank", "code_dim", "tau"), [(1, 3, 0.1), (4, 4, 0.0), (8, 32, 10.0), (4, 1024, 1e-3)]
    )
    def test_value_and_gradients_agree_with_the_dense_oracle(
        self, rank: int, code_dim: int, tau: float
    ) -> None:
        E = embedding(rank, code_dim).requires_grad_()
        center = (0.3 * codes(5, code_dim)).requires_grad_()
        z = (0.3 * codes(5, code_dim, seed=1)).requires_grad_()
        scale = codes(5).exp().requires_grad_()
        log_weights = causal_log_weights(time=5)

        actual = mixture_of(factorize(E, tau), center, log_weights, scale).log_prob(z)

        oracle = DenseReference(E, tau)
        null = oracle.log_prob(z, 2.0)
        memories = [oracle.log_prob(z, scale[s], center[s]) for s in range(5)]
        expected = (torch.stack([null, *memories], dim=-1) + log_weights).logsumexp(-1)
        torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)
        wanted = (E, center, z, scale)
        gradients = zip(
            torch.autograd.grad(actual.sum(), wanted),
            torch.autograd.grad(expected.sum(), wanted),
            strict=True,
        )
        for actual_gradient, expected_gradient in gradients:
            torch.testing.assert_close(actual_gradient, expected_gradient, rtol=1e-7, atol=1e-7)

    def test_batches_samples_and_null_broadcast(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        center, log_weights = codes(2, 4, 5, 7), causal_log_weights(2, 4, time=5)
        scale, null_scale = codes(2, 4, 5).exp(), codes(4, seed=1).exp()
        components = Neighborhood(center, scale, factorization)
        null = Neighborhood(codes(7, seed=2), null_scale, factorization)
        mixture = NeighborhoodMixture(log_weights, components, null)
        z = codes(6, 2, 4, 5, 7, seed=3)
        actual = mixture.log_prob(z)
        assert (mixture.batch_shape, mixture.event_shape) == ((2, 4, 5), (7,))
        assert actual.shape == (6, 2, 4, 5)
        for b in range(4):
            alone = NeighborhoodMixture(
                log_weights[1, b],
                Neighborhood(center[1, b], scale[1, b], factorization),
                Neighborhood(codes(7, seed=2), null_scale[b], factorization),
            )
            torch.testing.assert_close(alone.log_prob(z[:, 1, b]), actual[:, 1, b])

    def test_queries_may_outnumber_memories(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        log_weights = codes(9, 3).log_softmax(-1)
        mixture = mixture_of(factorization, codes(2, 7), log_weights)
        assert mixture.log_prob(codes(9, 7)).shape == (9,)
        assert mixture.mean.shape == mixture.mode.shape == mixture.sample().shape == (9, 7)

    def test_without_memories_it_is_the_null_neighborhood(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        components = Neighborhood(codes(0, 7), 0.5, factorization, validate_args=False)
        null = Neighborhood(torch.zeros(7, dtype=torch.float64), 2.0, factorization)
        mixture = NeighborhoodMixture(torch.zeros(4, 1), components, null)
        z = codes(4, 7)
        torch.testing.assert_close(mixture.log_prob(z), mixture.null.log_prob(z))
        torch.testing.assert_close(mixture.mean, torch.zeros(4, 7, dtype=torch.float64))

    def test_all_weight_on_one_component_is_that_component(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        log_weights = torch.full((2, 4), -math.inf)
        log_weights[0, 0] = log_weights[1, 2] = 0
        mixture = mixture_of(factorization, codes(3, 7), log_weights)
        z = codes(2, 7, seed=1)
        expected = torch.stack([mixture.null.log_prob(z[0]), mixture.components.log_prob(z[1])[1]])
        torch.testing.assert_close(mixture.log_prob(z), expected)

    def test_whitened_coordinates_serve_as_well_as_codes(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        mixture = mixture_of(factorization, codes(5, 7), causal_log_weights(time=5))
        posterior = Neighborhood(codes(5, 7), 0.3, factorization)
        torch.manual_seed(0)
        z, u = posterior.rsample_with_u((4,))
        torch.testing.assert_close(
            mixture.log_prob_whitened(posterior.whitened_center + 0.3 * u), mixture.log_prob(z)
        )

    def test_a_row_never_depends_on_masked_memories(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        center, z, log_weights = codes(5, 7).requires_grad_(), codes(5, 7, seed=1), causal_log_weights(time=5)
        log_prob = mixture_of(factorization, center, log_weights).log_prob(z)
        for t in range(5):
            (gradient,) = torch.autograd.grad(log_prob[t], center, retain_graph=True)
            assert torch.equal(gradient[t:], torch.zeros(5 - t, 7, dtype=torch.float64))
            assert t == 0 or (gradient[:t].abs().amax(-1) > 0).all()

    def test_gradients_are_finite_beside_minus_infinity(self) -> None:
        E, scale = embedding(3, 7).float().requires_grad_(), torch.tensor(0.01, requires_grad=True)
        logits = codes(5, 6).float().requires_grad_()
        center = codes(3, 7).float()[[0, 1, 0, 1, 2]].requires_grad_()
        past = torch.cat([torch.ones(5, 1), torch.ones(5, 5).tril(-1)], dim=-1).bool()
        log_weights = logits.masked_fill(~past, -math.inf).log_softmax(-1)
        log_prob = mixture_of(factorize(E, 0.1), center, log_weights, scale).log_prob(center)
        for gradient in torch.autograd.grad(log_prob.sum(), (E, scale, logits, center)):
            assert gradient.isfinite().all()
            assert gradient.abs().max() > 0

    def test_gradcheck(self) -> None:
        def compute(E: Tensor, logits: Tensor, center: Tensor, scale: Tensor, z: Tensor) -> Tensor:
            return mixture_of(factorize(E, 0.1), center, logits.log_softmax(-1), scale).log_prob(z)

        inputs = [embedding(2, 4), codes(3, 3), codes(2, 4), codes(2).exp(), codes(3, 4, seed=1)]
        for tensor in inputs:
            tensor.requires_grad_()
        assert torch.autograd.gradcheck(compute, inputs)
        assert torch.autograd.gradgradcheck(compute, inputs)

    @pytest.mark.parametrize("exponent", [-60, 30])
    def test_gauge_changes_nothing(self, exponent: int) -> None:
        a = 1.7 * 2.0**exponent
        E, center, log_weights = embedding(3, 7), codes(5, 7), causal_log_weights(time=5)
        one, other = factorize(E, 0.1), factorize(a * E, a**2 * 0.1)
        expected = mixture_of(one, center, log_weights)
        actual = NeighborhoodMixture(
            log_weights,
            Neighborhood(center, a * 0.5, other),
            Neighborhood(torch.zeros_like(center[0]), a * 2.0, other),
        )
        z = codes(5, 7, seed=1)
        torch.testing.assert_close(actual.log_prob(z), expected.log_prob(z))
        torch.testing.assert_close(actual.mode, expected.mode)

    def test_float32_is_accurate_for_small_scales_far_from_the_origin(self) -> None:
        """Eps = 0.02 where ‖w‖² is about 1e4: in float32, products of w would err by nats."""
        E, center = embedding(16, 64), 10 * codes(30, 64)
        log_weights = causal_log_weights(time=30)
        torch.manual_seed(0)
        z = Neighborhood(center[:-1], 0.02, factorize(E, 1e-3)).sample()
        z = torch.cat([center[:1], z]).float()
        arguments = (center.float().double(), log_weights, 0.02)
        expected = mixture_of(factorize(E.float().double(), 1e-3), *arguments).log_prob(z.double())
        arguments = (center.float(), log_weights.float(), 0.02)
        actual = mixture_of(factorize(E.float(), 1e-3), *arguments).log_prob(z)
        assert expected[1:].min() > -1e7, "some memory is near"
        error = (actual.double() - expected).abs()
        assert (error < 1e-5 * expected.abs() + 0.05).all()

    def test_no_array_beyond_time_by_memories(self) -> None:
        time, rank, code_dim = 60, 4, 9
        inputs = [codes(time, code_dim).requires_grad_(), codes(time, code_dim, seed=1).requires_grad_()]
        E, log_weights = embedding(rank, code_dim).requires_grad_(), causal_log_weights(time=time)
        with TensorSizes() as sizes:
            mixture = mixture_of(factorize(E, 0.1), inputs[0], log_weights)
            mixture.log_prob(inputs[1]).sum().backward()
            assert mixture.mean.shape == (time, code_dim)
            log_prob_and_mean = sizes.largest
            assert mixture.mode.shape == (time, code_dim)
        assert log_prob_and_mean <= time * (time + 1)
        # The mode compares a few centers for every row.
        assert sizes.largest <= 16 * time * (time + 1)


class TestRefusals:
    factorization = factorize(embedding(3, 7), 0.1)

    def components(self, *batch: int) -> Neighborhood:
        return Neighborhood(codes(*batch, 7), 0.5, self.factorization)

    @pytest.mark.parametrize("shape", [(4, 5), (4, 7), (6,), (2, 4, 6)])
    def test_log_weights_of_the_wrong_shape(self, shape: tuple[int, ...]) -> None:
        message = (
            r"log_weights must have shape \(\*B, T, S \+ 1\) = \('T', 6\) .* batch shape \(5,\), but its"
        )
        with pytest.raises(ValueError, match=message):
            NeighborhoodMixture(torch.zeros(shape), self.components(5), self.components())

    def test_components_without_an_axis_of_memories(self) -> None:
        with pytest.raises(ValueError, match=r"components must be neighborhoods of batch shape \(\*B, S\)"):
            NeighborhoodMixture(torch.zeros(4, 1), self.components(), self.components())

    @pytest.mark.parametrize("batch", [(3,), (2, 5)])
    def test_null_that_does_not_broadcast(self, batch: tuple[int, ...]) -> None:
        message = r"null must have a batch shape that broadcasts to \(2,\), but it is"
        with pytest.raises(ValueError, match=message):
            NeighborhoodMixture(torch.zeros(2, 4, 6), self.components(2, 5), self.components(*batch))

    def test_different_factorisations(self) -> None:
        null = Neighborhood(codes(7), 0.5, factorize(embedding(3, 7), 0.1))
        with pytest.raises(ValueError, match="different factorisations"):
            NeighborhoodMixture(torch.zeros(4, 6), self.components(5), null)

    @pytest.mark.parametrize("log_weights", [torch.zeros(4, 6), torch.full((4, 6), math.nan)])
    def test_weights_that_do_not_sum_to_one(self, log_weights: Tensor) -> None:
        with pytest.raises(ValueError, match="log_weights"):
            NeighborhoodMixture(log_weights, self.components(5), self.components())

    def test_codes_or_whitened_coordinates_of_the_wrong_length(self) -> None:
        mixture = NeighborhoodMixture(causal_log_weights(time=5), self.components(5), self.components())
        with pytest.raises(ValueError, match="event_shape"):
            mixture.log_prob(torch.zeros(5, 3))
        with pytest.raises(ValueError, match=r"w must have shape \(\*, 3\), its last axis the metric rank M"):
            mixture.log_prob_whitened(torch.zeros(5, 7))
