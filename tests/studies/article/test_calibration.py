"""The measured calibration, and that a wrong one is noticed."""

import math

import pytest
import torch

from tem_vae.geometry import Neighborhood, factorize
from tem_vae.seeding import seeded
from tem_vae.studies.article.calibration import (
    CalibrationCase,
    corrected_calibration,
    published_calibration,
    squared_distance_spread,
)
from tem_vae.studies.article.formulas import linear_embedding
from tem_vae.studies.article.theory import published_mean_squared_distance


def test_every_rank_and_regulariser_is_calibrated() -> None:
    cases = corrected_calibration((1, 7, 64, 1024), (1e-6, 0.1, 10.0), samples=500, seed=0)
    assert len(cases) == 12
    assert all(case.passed for case in cases)


def test_a_mean_five_standard_errors_off_does_not_pass() -> None:
    assert not CalibrationCase(rank=4, tau=0.1, mean=1.05, standard_error=0.01).passed
    assert CalibrationCase(rank=4, tau=0.1, mean=0.97, standard_error=0.01).passed


@pytest.mark.parametrize("tau", [1e-6, 0.1, 10.0])
def test_spread_of_the_squared_distance_for_any_tau(tau: float) -> None:
    samples = 20_000
    with seeded(0):
        E = linear_embedding(16, 24)
        factorization = factorize(E, tau)
        z = Neighborhood(torch.zeros(24), 1.0, factorization).sample((samples,))
    spread = (z @ E.mT).square().sum(-1).std().item()
    # A chi-squared sum dominated by few terms has excess kurtosis up to 12: se of the spread √(14/4n).
    expected = squared_distance_spread(factorization.shrinkage)
    assert abs(spread / expected - 1) < 4 * math.sqrt(14 / 4 / samples)


def test_published_calibration_is_off_but_for_the_rank_of_the_article() -> None:
    means = published_calibration((8, 16, 128), samples=500, seed=0)
    assert means[8] < 1e-6
    for rank in (16, 128):
        assert means[rank] == pytest.approx(published_mean_squared_distance(rank, 1024), rel=0.1)
