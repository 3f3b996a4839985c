import pytest
import torch
from geometry_examples import codes, embedding
from torch import Tensor
from torch.distributions import kl_divergence

from tem_vae.geometry import Neighborhood, RankDeficientError, factorize
from tem_vae.studies.article.dense import DenseReference


def _deficient(kind: str, dtype: torch.dtype) -> Tensor:
    """(4, 32), of rank 3 up to rounding."""
    E = embedding(4, 32).to(dtype)
    if kind == "zero row":
        E[2] = 0
    elif kind == "twin rows":
        E[2] = E[0]
    elif kind == "parallel rows":
        E[2] = -1e-6 * E[0]
    elif kind == "sum of rows":
        E[2] = E[0] + E[1] - E[3]
    elif kind == "product of low rank":
        generator = torch.Generator().manual_seed(0)
        E = torch.randn(4, 3, dtype=dtype, generator=generator) @ E[:3]
    return E


DEFICIENCIES = ["zero row", "twin rows", "parallel rows", "sum of rows", "product of low rank"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", DEFICIENCIES)
class TestFactorization:
    @pytest.mark.parametrize("read", ["log_volume", "whitening"])
    def test_what_needs_all_rows_raises(self, kind: str, dtype: torch.dtype, read: str) -> None:
        factorization = factorize(_deficient(kind, dtype), tau=0.125)
        message = (
            r"E \(4 × 32\) has numerical rank 3, below its metric rank 4 "
            r"\(condition number (inf|\d\S*), tau 0\.125\)\. Neighborhoods of this E can be sampled"
        )
        with pytest.raises(RankDeficientError, match=message):
            getattr(factorization, read)
        assert factorization.condition_number > 1e6

    def test_sampling_still_agrees_with_the_dense_oracle(self, kind: str, dtype: torch.dtype) -> None:
        E = _deficient(kind, dtype)
        tolerance = 1e-5 if dtype == torch.float32 else 1e-9
        spreading = factorize(E, tau=0.125).spreading.double()
        expected = DenseReference(E.double(), 0.125).spreading
        torch.testing.assert_close(spreading, expected, rtol=tolerance, atol=tolerance)

    @pytest.mark.parametrize("tau", [0.0, 1e-25])
    def test_without_enough_regularisation_nothing_exists(
        self, kind: str, dtype: torch.dtype, tau: float
    ) -> None:
        if kind == "zero row" and tau > 0:
            assert factorize(_deficient(kind, dtype), tau).spreading.isfinite().all()
            return
        with pytest.raises(RankDeficientError, match=rf"rank 3.*tau {tau:g}\).*a larger tau will do"):
            factorize(_deficient(kind, dtype), tau)


def test_zero_embedding_raises() -> None:
    with pytest.raises(RankDeficientError, match=r"numerical rank 0.*condition number inf.*and E is not 0"):
        factorize(torch.zeros(2, 3), tau=1.0)


@pytest.mark.parametrize("size", [2, 16, 128, 256])
def test_random_square_float32_embeddings_are_not_called_deficient(size: int) -> None:
    generator = torch.Generator().manual_seed(size)
    for _ in range(5):
        factorization = factorize(torch.randn(size, size, generator=generator), tau=1e-3)
        assert factorization.log_volume.isfinite()


class TestNeighborhood:
    @pytest.fixture
    def neighborhood(self) -> Neighborhood:
        E = embedding(3, 7)
        E[2] = E[0] - E[1]
        return Neighborhood(codes(5, 7), 0.5, factorize(E, tau=0.125))

    def test_samples_exist(self, neighborhood: Neighborhood) -> None:
        assert neighborhood.rsample((3,)).isfinite().all()
        assert neighborhood.variance.isfinite().all()

    @pytest.mark.parametrize("what", ["log_prob", "log_prob of u", "entropy", "kl", "whitened center"])
    def test_densities_do_not(self, neighborhood: Neighborhood, what: str) -> None:
        z, u = neighborhood.rsample_with_u()
        compute = {
            "log_prob": lambda: neighborhood.log_prob(z),
            "log_prob of u": lambda: neighborhood.log_prob(z, u=u),
            "entropy": neighborhood.entropy,
            "kl": lambda: kl_divergence(neighborhood, neighborhood),
            "whitened center": lambda: neighborhood.whitened_center,
        }[what]
        with pytest.raises(RankDeficientError, match=r"rank 2, below its metric rank 3.*tau 0\.125"):
            compute()
