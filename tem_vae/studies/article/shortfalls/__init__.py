"""What is wrong with the article's formulas, each fault shown by a measurement."""

from collections.abc import Mapping

from tem_vae.seeding import seeded
from tem_vae.studies.article.formulas import linear_embedding, uniform_embedding
from tem_vae.studies.article.rounding import RoundingStudy
from tem_vae.studies.article.shortfalls.calibration import calibration_shortfalls
from tem_vae.studies.article.shortfalls.density import density_shortfalls
from tem_vae.studies.article.shortfalls.inverse import inverse_shortfalls
from tem_vae.studies.article.shortfalls.shortfall import Shortfall

__all__ = ["Shortfall", "find_shortfalls"]

_SEED = 0


def find_shortfalls(published_means: Mapping[int, float], rounding: RoundingStudy) -> list[Shortfall]:
    """Measure every shortfall.

    Args:
        published_means: The mean of d²/eps² by rank, with the article's calibration.
        rounding: The published log-determinant for many seeds.
    """
    with seeded(_SEED):
        uniform, linear = uniform_embedding(), linear_embedding()
        return [
            *calibration_shortfalls(uniform, linear, published_means),
            *density_shortfalls(uniform, linear, rounding),
            *inverse_shortfalls(uniform),
        ]
