"""The article's functions do what the article's formulas say, right and wrong alike."""

import ast
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

import tem_vae
from tem_vae.studies.article import published

PACKAGE = Path(tem_vae.__file__).parent


def embedding(rank: int, code_dim: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.empty(rank, code_dim).uniform_(-1, 1, generator=generator)


def published_scale(rank: int, code_dim: int) -> float:
    return math.sqrt(2) / 2 * (rank / code_dim) ** 2


def imports_article(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        if "tem_vae.studies.article.published" in names:
            return True
    return False


def test_only_comparisons_import_the_article() -> None:
    importers = {
        path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py") if imports_article(path)
    }
    assert importers
    assert importers == {"studies"}


def test_distance_is_euclidean_after_the_embedding() -> None:
    E, a, b = embedding(3, 8), torch.randn(5, 8), torch.randn(5, 8)
    expected = (E.double() @ (a - b).double().mT).norm(dim=0)
    found = published.rank_deficient_pseudometric(a, b, E).double()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    squared = published.rank_deficient_pseudometric(a, b, E, squared=True)
    torch.testing.assert_close(squared.double(), expected**2, rtol=1e-5, atol=0)


def test_distance_has_no_gradient_at_equal_points() -> None:
    a = torch.randn(8, requires_grad=True)
    published.rank_deficient_pseudometric(a, a.detach(), embedding(3, 8)).backward()
    assert a.grad is not None
    assert a.grad.isnan().all()


@pytest.mark.parametrize("tau", [1e-1, 1.0, 10.0])
def test_inverse_is_the_regularised_one_with_mean_diagonal_one(tau: float) -> None:
    E = embedding(8, 32).double()
    exact = torch.linalg.solve(E.mT @ E + tau * torch.eye(32), E.mT)
    exact = exact / (exact @ E).diagonal().mean()
    found = published.stable_left_inverse(E, tau)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, exact, rtol=1e-4, atol=1e-5)


def test_inverse_of_low_rank_is_left_unbalanced_with_a_warning() -> None:
    E = embedding(1, 256)
    with pytest.warns(UserWarning, match=r"diagonal average 0\.00391 is too small"):
        inverse = published.stable_left_inverse(E)
    torch.testing.assert_close(E @ inverse, torch.ones(1, 1), rtol=1e-4, atol=0)


def test_warning_can_be_suppressed(recwarn: pytest.WarningsRecorder) -> None:
    published.stable_left_inverse(embedding(1, 256), suppress_warnings=True)
    assert not recwarn.list


@pytest.mark.parametrize(("rank", "code_dim"), [(4, 16), (16, 64), (8, 16)])
def test_mean_squared_distance_is_as_the_published_scale_makes_it(rank: int, code_dim: int) -> None:
    torch.manual_seed(0)
    E, samples = embedding(rank, code_dim), 20_000
    z = published.sample_rank_deficient_pseudometric(published.stable_left_inverse(E), (samples,))
    mean = published.rank_deficient_pseudometric(z, torch.zeros_like(z), E, squared=True).mean().item()
    expected = rank**3 / (2 * code_dim**2)
    standard_error = expected * math.sqrt(2 / rank / samples)
    assert abs(mean - expected) < 4 * standard_error


def test_logdet_is_that_of_the_large_matrix() -> None:
    E, tau = embedding(16, 16), 0.1
    exact = E.double().mT @ E.double() / published_scale(16, 16) ** 2 + tau * torch.eye(16)
    found = published.rank_deficient_logdet(E, tau).double()
    torch.testing.assert_close(found, 0.5 * torch.logdet(exact), rtol=1e-5, atol=0)


def test_log_prob_from_the_noise_subtracts_the_logdet() -> None:
    u = torch.randn(5, 3)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(u).sum(-1) - 7.0
    found = published.rank_deficient_logprob(torch.zeros(5, 8), torch.tensor(7.0), u=u)
    torch.testing.assert_close(found, expected)


def test_noise_is_recovered_for_small_tau() -> None:
    torch.manual_seed(0)
    E, logdet = embedding(8, 32), torch.tensor(7.0)
    inverse = published.stable_left_inverse(E, tau=1e-4)
    z, u = published.sample_rank_deficient_pseudometric_from_reference(torch.ones(32), 0.5, inverse, (50,))
    recovered, cached = (
        published.rank_deficient_logprob_from_reference(z, logdet, torch.ones(32), 0.5, **given)
        for given in ({"E": E}, {"u": u})
    )
    torch.testing.assert_close(recovered, cached, rtol=1e-3, atol=1e-2)


def test_noise_is_not_recovered_for_large_tau() -> None:
    torch.manual_seed(0)
    E, zero = embedding(8, 32), torch.zeros(())
    z, u = published.sample_rank_deficient_pseudometric_from_reference(
        torch.zeros(32), 1.0, published.stable_left_inverse(E, tau=10.0), (50,)
    )
    difference = published.rank_deficient_logprob(z, zero, E=E) - published.rank_deficient_logprob(
        z, zero, u=u
    )
    assert difference.std().item() > 0.1


def test_scale_divides_the_logdet_twice() -> None:
    u, z0 = torch.randn(5, 3), torch.zeros(8)
    zero, logdet = torch.zeros(()), torch.tensor(7.0)
    without, with_logdet = (
        published.rank_deficient_logprob_from_reference(torch.zeros(5, 8), value, z0, 0.1, u=u)
        for value in (zero, logdet)
    )
    torch.testing.assert_close(without - with_logdet, torch.full((5,), 700.0))


def test_one_scale_per_sample_gives_a_square_result() -> None:
    found = published.rank_deficient_logprob_from_reference(
        torch.zeros(5, 8), torch.zeros(()), torch.zeros(8), torch.ones(5), u=torch.randn(5, 3)
    )
    assert found.shape == (5, 5)


def test_one_scale_per_sample_scales_each_sample() -> None:
    torch.manual_seed(0)
    E, scale = embedding(8, 32), torch.tensor([1.0, 2.0, 3.0])
    z, u = published.sample_rank_deficient_pseudometric_from_reference(
        torch.zeros(32), scale, published.stable_left_inverse(E), (3,)
    )
    ratio = published.rank_deficient_pseudometric(z, torch.zeros(32), E) / (scale * u.norm(dim=-1))
    torch.testing.assert_close(ratio, ratio[:1].expand(3), rtol=1e-3, atol=0)


def test_noise_or_embedding_must_be_given() -> None:
    with pytest.raises(ValueError, match="neither E nor u was given"):
        published.rank_deficient_logprob(torch.zeros(8), torch.zeros(()))


def test_module_builds_the_distribution_it_ends_with() -> None:
    torch.manual_seed(0)
    metric = published.PseudoMetric(vector_dim=32, metric_rank=8)
    center = torch.randn(5, 32)
    distribution = metric.build_distribution_from_center(center, 1.0, tau=1e-4)
    z, u = distribution.sample()
    assert (z.shape, u.shape) == ((5, 32), (5, 8))
    torch.testing.assert_close(distribution.log_prob(z), distribution.log_prob(z, u=u), rtol=1e-3, atol=0.05)
    by_hand = published.rank_deficient_pseudometric(z, center, metric.metric.weight)
    torch.testing.assert_close(metric.pseudo_distance(z, center), by_hand)
