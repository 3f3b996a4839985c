import math

import pytest
import torch
from geometry_examples import codes, embedding
from torch import Tensor
from torch.distributions import Independent, Normal

from tem_vae.geometry import Neighborhood, factorize
from tem_vae.studies.article.dense import DenseReference


def squared_distances(neighborhood: Neighborhood, count: int) -> Tensor:
    """d_E²/eps² of `count` samples to the center."""
    E = neighborhood.factorization.embedding
    z = neighborhood.sample((count,))
    return ((z - neighborhood.center) @ E.mT).square().sum(-1) / neighborhood.scale.square()


class TestSamples:
    @pytest.mark.parametrize("rank", range(1, 17))
    @pytest.mark.parametrize("tau", [1e-6, 1e-3, 0.1, 10.0])
    def test_mean_squared_distance_is_the_squared_scale(self, rank: int, tau: float) -> None:
        """Within 4 standard errors: Var d²/eps² = 2 tr(S⁴)/tr(S²)²."""
        torch.manual_seed(rank)
        count = 20_000
        factorization = factorize(embedding(rank, 16), tau)
        S = factorization.shrinkage
        mean = squared_distances(Neighborhood(codes(16), 0.1, factorization), count).mean()
        fourth, second = torch.linalg.matrix_power(S, 4).trace(), S.square().sum()
        standard_error = (2 * fourth / count).sqrt() / second
        assert abs(mean - 1) < 4 * standard_error

    @pytest.mark.parametrize(("rank", "tau"), [(1, 0.1), (4, 1e-6), (8, 0.1), (16, 10.0)])
    def test_variance_of_the_squared_distance(self, rank: int, tau: float) -> None:
        """d²/eps² is Σ a_i g_i² with a = eigenvalues of S²/tr(S²): cumulants κ_n = 2ⁿ⁻¹ (n − 1)! Σ a_iⁿ."""
        torch.manual_seed(rank)
        count = 50_000
        factorization = factorize(embedding(rank, 16), tau)
        shares = torch.linalg.eigvalsh(factorization.shrinkage).square()
        shares = shares / shares.sum()
        variance, fourth_cumulant = 2 * shares.square().sum(), 48 * shares.pow(4).sum()
        actual = squared_distances(Neighborhood(codes(16), 0.5, factorization), count).var()
        standard_error = (fourth_cumulant / count + 2 * variance**2 / (count - 1)).sqrt()
        assert abs(actual - variance) < 4 * standard_error
        if tau < 1e-3:
            assert variance.item() == pytest.approx(2 / rank, rel=1e-3)

    def test_rank_deficient_embeddings_are_calibrated_too(self) -> None:
        torch.manual_seed(0)
        E = embedding(4, 16)
        E[3] = E[0]
        count = 20_000
        factorization = factorize(E, tau=0.1)
        distances = squared_distances(Neighborhood(codes(16), 0.2, factorization), count)
        fourth = torch.linalg.matrix_power(factorization.shrinkage, 4).trace()
        standard_error = (2 * fourth / count).sqrt() / factorization.shrinkage.square().sum()
        assert abs(distances.mean() - 1) < 4 * standard_error

    def test_mean_and_variance_of_the_coordinates(self) -> None:
        torch.manual_seed(0)
        count = 50_000
        neighborhood = Neighborhood(codes(2, 6), torch.tensor([0.1, 2.0]), factorize(embedding(3, 6), 0.1))
        z = neighborhood.sample((count,))
        assert ((z.mean(0) - neighborhood.mean).abs() < 4.5 * neighborhood.stddev / math.sqrt(count)).all()
        relative = z.var(0) / neighborhood.variance - 1
        assert (relative.abs() < 4.5 * math.sqrt(2 / (count - 1))).all()

    def test_rsample_is_center_plus_scaled_spread_of_u(self) -> None:
        torch.manual_seed(0)
        center, scale = codes(5, 7), codes(5).exp()
        neighborhood = Neighborhood(center, scale, factorize(embedding(3, 7), 0.1))
        z, u = neighborhood.rsample_with_u((2,))
        oracle = DenseReference(embedding(3, 7), 0.1)
        torch.testing.assert_close(z, center + scale.unsqueeze(-1) * (u @ oracle.spreading.mT))

    def test_samples_carry_gradients_and_follow_the_seed(self) -> None:
        E = embedding(3, 7).requires_grad_()
        center, scale = codes(5, 7).requires_grad_(), codes(5).exp().requires_grad_()
        neighborhood = Neighborhood(center, scale, factorize(E, 0.1))
        torch.manual_seed(0)
        first = neighborhood.rsample()
        torch.manual_seed(0)
        assert torch.equal(neighborhood.sample(), first)
        assert not neighborhood.sample().requires_grad
        gradients = torch.autograd.grad(first.square().sum(), (E, center, scale))
        assert all(gradient.abs().max() > 0 for gradient in gradients)


class TestEntropy:
    @pytest.mark.parametrize("tau", [0.0, 0.1])
    def test_it_is_the_mean_negative_log_density(self, tau: float) -> None:
        """−log p = const + ½ chi²_M, of standard deviation √(M/2)."""
        torch.manual_seed(0)
        count, rank = 20_000, 6
        neighborhood = Neighborhood(codes(9), 0.3, factorize(embedding(rank, 9), tau))
        mean = -neighborhood.log_prob(neighborhood.sample((count,))).mean()
        assert abs(mean - neighborhood.entropy()) < 4 * math.sqrt(rank / 2 / count)

    def test_identity_embedding_is_an_isotropic_gaussian(self) -> None:
        neighborhood = Neighborhood(torch.zeros(2, 3), torch.tensor([0.5, 2.0]), factorize(torch.eye(3), 0.0))
        deviation = torch.tensor([[0.5], [2.0]]).expand(2, 3) / math.sqrt(3)
        normal = Independent(Normal(torch.zeros(2, 3), deviation), 1)
        z = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(neighborhood.entropy(), normal.entropy())
        torch.testing.assert_close(neighborhood.log_prob(z), normal.log_prob(z))
        torch.testing.assert_close(neighborhood.variance, normal.variance)
