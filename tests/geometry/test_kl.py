import math

import pytest
import torch
from geometry_examples import codes, embedding
from torch import Tensor
from torch.distributions import kl_divergence

from tem_vae.geometry import Neighborhood, factorize


class TestKL:
    @pytest.mark.parametrize(("rank", "code_dim", "tau"), [(1, 4, 0.1), (4, 4, 0.0), (6, 32, 1.0)])
    def test_monte_carlo(self, rank: int, code_dim: int, tau: float) -> None:
        torch.manual_seed(0)
        factorization = factorize(embedding(rank, code_dim), tau)
        center = codes(code_dim)
        q = Neighborhood(center, 0.5, factorization)
        p = Neighborhood(center + 0.1 * codes(code_dim, seed=1), 0.9, factorization)
        z, u = q.rsample_with_u((50_000,))
        ratios = q.log_prob(z, u=u) - p.log_prob(z)
        standard_error = ratios.std() / math.sqrt(len(ratios))
        assert abs(ratios.mean() - kl_divergence(q, p)) < 4 * standard_error

    def test_it_is_zero_only_between_equals(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        center = codes(5, 7)
        q = Neighborhood(center, 0.5, factorization)
        same = kl_divergence(q, Neighborhood(center.clone(), 0.5, factorization))
        torch.testing.assert_close(same, torch.zeros_like(same), rtol=0, atol=1e-12)
        assert (kl_divergence(q, Neighborhood(center, 0.6, factorization)) > 1e-3).all()
        assert (kl_divergence(q, Neighborhood(center + 0.1, 0.5, factorization)) > 1e-3).all()

    def test_batches_broadcast(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        q = Neighborhood(codes(4, 1, 7), 0.5, factorization)
        p = Neighborhood(codes(5, 7, seed=1), 0.7, factorization)
        kl = kl_divergence(q, p)
        assert kl.shape == (4, 5)
        alone = kl_divergence(
            Neighborhood(codes(4, 1, 7)[2, 0], 0.5, factorization),
            Neighborhood(codes(5, 7, seed=1)[3], 0.7, factorization),
        )
        torch.testing.assert_close(kl[2, 3], alone)

    def test_gradcheck(self) -> None:
        def compute(E: Tensor, q_center: Tensor, p_center: Tensor, scale: Tensor) -> Tensor:
            factorization = factorize(E, 0.1)
            q = Neighborhood(q_center, scale, factorization, validate_args=False)
            return kl_divergence(q, Neighborhood(p_center, 0.7, factorization, validate_args=False))

        scale = torch.tensor([0.5, 2.0], dtype=torch.float64)
        inputs = [embedding(2, 4), codes(2, 4), codes(2, 4, seed=1), scale]
        assert torch.autograd.gradcheck(compute, [tensor.requires_grad_() for tensor in inputs])

    def test_different_factorisations_are_refused(self) -> None:
        E = embedding(3, 7)
        q = Neighborhood(codes(7), 0.5, factorize(E, 0.1))
        p = Neighborhood(codes(7), 0.5, factorize(E, 0.1))
        with pytest.raises(
            ValueError, match=r"different factorisations.*Call factorize\(\) once per forward"
        ):
            kl_divergence(q, p)
