import math

import pytest
import torch
from geometry_examples import causal_log_weights, codes, embedding, mixture_of

from tem_vae.geometry import Neighborhood, RankDeficientError, factorize


class TestMoments:
    def test_mean_is_the_weighted_center(self) -> None:
        factorization, log_weights = factorize(embedding(3, 7), 0.1), causal_log_weights(2, time=5)
        mixture = mixture_of(factorization, codes(2, 5, 7), log_weights)
        expected = torch.einsum("bts,bsn->btn", log_weights[..., 1:].exp(), codes(2, 5, 7))
        torch.testing.assert_close(mixture.mean, expected)

    def test_samples_have_the_mean_and_covariance_of_the_mixture(self) -> None:
        torch.manual_seed(0)
        count = 40_000
        factorization = factorize(embedding(2, 3), 0.1)
        center, scale = codes(2, 4, 3).requires_grad_(), codes(2, 4, seed=1).exp()
        log_weights = codes(2, 5, 5, seed=2).log_softmax(-1)
        mixture = mixture_of(factorization, center, log_weights, scale)
        z = mixture.sample((count,))
        assert z.shape == (count, 2, 5, 3)
        assert not z.requires_grad

        weights = log_weights.exp()
        centers = torch.cat([torch.zeros(2, 1, 3, dtype=torch.float64), center], dim=1)
        variances = torch.cat([mixture.null.variance.unsqueeze(1), mixture.components.variance], dim=1)
        variance = torch.einsum("bts,bsn->btn", weights, centers**2 + variances) - mixture.mean**2
        assert ((z.mean(0) - mixture.mean).abs() < 4.5 * (variance / count).sqrt()).all()
        fourth_moment = (z - mixture.mean).pow(4).mean(0)
        standard_error = ((fourth_moment - variance**2) / count).sqrt()
        assert ((z.var(0) - variance).abs() < 4.5 * standard_error).all()

    def test_density_integrates_to_one(self) -> None:
        """E_q[p(z)/q(z)] = 1 for q any neighborhood that covers p."""
        torch.manual_seed(0)
        factorization = factorize(embedding(2, 5), 0.1)
        mixture = mixture_of(factorization, 0.1 * codes(4, 5), causal_log_weights(time=4))
        proposal = Neighborhood(torch.zeros(4, 5), 2.5, factorization)
        z, u = proposal.rsample_with_u((100_000,))
        ratios = (mixture.log_prob(z) - proposal.log_prob(z, u=u)).exp()
        assert ((ratios.mean(0) - 1).abs() < 4 * ratios.std(0) / math.sqrt(len(ratios))).all()

    def test_sampling_needs_no_independent_rows(self) -> None:
        E = embedding(3, 7)
        E[2] = E[0]
        mixture = mixture_of(factorize(E, 0.1), codes(5, 7), causal_log_weights(time=5))
        z = mixture.sample((3,))
        assert z.isfinite().all()
        with pytest.raises(RankDeficientError, match="numerical rank 2"):
            mixture.log_prob(z)


class TestMode:
    def test_it_is_at_least_as_dense_as_every_center_with_weight(self) -> None:
        factorization = factorize(embedding(3, 7), 0.1)
        center, log_weights = 0.2 * codes(4, 12, 7), causal_log_weights(4, time=12)
        mixture = mixture_of(factorization, center, log_weights)
        best = mixture.log_prob(mixture.mode)
        candidates = torch.cat([torch.zeros(4, 1, 7, dtype=torch.float64), center], dim=1)
        for s in range(13):
            density = mixture.log_prob(candidates[:, s : s + 1].expand(4, 12, 7))
            weighted = log_weights[..., s] > -math.inf
            assert (best[weighted] >= density[weighted] - 1e-9).all()

    def test_lone_components_are_their_own_mode(self) -> None:
        """Far apart, the mode is the center of highest weight; the first row has the null component alone."""
        factorization = factorize(embedding(3, 7), 0.1)
        center, log_weights = 100 * codes(5, 7), causal_log_weights(time=5)
        mixture = mixture_of(factorization, center, log_weights, scale=2.0)
        candidates = torch.cat([torch.zeros(1, 7, dtype=torch.float64), center])
        torch.testing.assert_close(mixture.mode, candidates[log_weights.argmax(-1)])

    def test_masked_memories_do_not_count_even_where_density_is_highest(self) -> None:
        """The third memory, masked, lies where those of the first two overlap."""
        factorization = factorize(embedding(3, 7), 0.1)
        center = codes(7, seed=1) + torch.stack([0.05 * codes(7), -0.05 * codes(7), 0 * codes(7)])
        log_weights = torch.tensor([[-math.inf, math.log(0.4), math.log(0.6), -math.inf]])
        modes = []
        for moved in (0.0, 1.0):
            center[2] += moved
            modes.append(mixture_of(factorization, center, log_weights).mode)
        torch.testing.assert_close(modes[0], modes[1], rtol=0, atol=1e-12)
