"""The dense references agree with the geometry, which is built on other factorisations."""

import pytest
import torch

from tem_vae.geometry import Neighborhood, factorize
from tem_vae.seeding import seeded
from tem_vae.studies.article.dense import (
    DenseReference,
    published_log_volume,
    published_log_volume_from_gram,
)
from tem_vae.studies.article.formulas import linear_embedding, uniform_embedding


@pytest.mark.parametrize("tau", [1e-3, 0.1, 10.0])
def test_geometry_has_the_density_of_the_reference(tau: float) -> None:
    with seeded(0):
        E = linear_embedding(16, 64).double()
        factorization = factorize(E, tau)
        neighborhood = Neighborhood(torch.zeros(64, dtype=torch.float64), 0.3, factorization)
        z = neighborhood.sample((20,))
    reference = DenseReference(E, tau)
    torch.testing.assert_close(neighborhood.log_prob(z), reference.log_prob(z, 0.3), rtol=1e-9, atol=0)
    torch.testing.assert_close(factorization.log_volume, reference.log_volume, rtol=1e-10, atol=0)
    torch.testing.assert_close(factorization.shrinkage, reference.shrinkage, rtol=1e-9, atol=1e-12)


def test_published_determinant_is_the_same_from_the_gram_matrix() -> None:
    with seeded(0):
        E = uniform_embedding(16, 128)
    assert published_log_volume_from_gram(E, 1e-3) == pytest.approx(published_log_volume(E, 1e-3), rel=1e-6)
