"""One small run of the reproduction, shared."""

import pytest

from tem_vae.studies.article.run import Effort, Reproduction, reproduce


@pytest.fixture(scope="session")
def reproduction() -> Reproduction:
    effort = Effort(
        samples=2_000,
        few=500,
        seeds=6,
        calibration_samples=2_000,
        ranks=(1, 8, 128),
        published_ranks=(8, 16, 128),
        taus=(1e-6, 1e-3, 10.0),
        rounding_seeds=6,
    )
    return reproduce(effort)
