import pytest
import torch

from tem_vae.geometry import Pseudometric, factorize
from tem_vae.scores.spectrum import describe_spectrum, effective_rank, subspace_share, unscaled_whitening


def test_effective_rank_counts_equal_directions() -> None:
    assert effective_rank(torch.eye(3, 7)).item() == pytest.approx(3)
    assert effective_rank(torch.diag(torch.tensor([1.0, 0.0, 0.0]))).item() == pytest.approx(1)


def test_effective_rank_is_the_exponential_of_the_entropy() -> None:
    sigma = torch.tensor([3.0, 1.0], dtype=torch.float64)
    share = sigma / 4
    expected = torch.exp(-(share * share.log()).sum())
    torch.testing.assert_close(effective_rank(torch.diag(sigma)), expected)


def test_subspace_share_of_known_rows() -> None:
    basis = torch.eye(4)[:, :2]
    matrix = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    assert subspace_share(matrix, basis).item() == pytest.approx(0.5)


def test_singular_values_of_the_whitening_are_sigma_plus_tau_over_sigma() -> None:
    E = torch.diag(torch.tensor([2.0, 0.5, 0.1], dtype=torch.float64))
    sigma = torch.linalg.svdvals(unscaled_whitening(factorize(E, tau=0.2)))
    expected = torch.tensor([0.1 + 2.0, 2.0 + 0.1, 0.5 + 0.4], dtype=torch.float64)
    torch.testing.assert_close(sigma, expected.sort(descending=True).values)


def test_the_logged_spectrum_names_every_singular_value() -> None:
    scalars = describe_spectrum(Pseudometric(8, 3, tau=1e-3, normalize=True))
    assert {f"metric/sigma_E_{i:02d}" for i in (1, 2, 3)} <= scalars.keys()
    assert scalars["metric/condition_number_E"].item() == pytest.approx(1, abs=1e-5)
    assert scalars["metric/effective_rank_whitening"].item() == pytest.approx(3, abs=1e-5)
