"""Learned pseudometrics, the neighborhoods that they define, and mixtures of these."""

from tem_vae.geometry.factorization import Factorization, RankDeficientError, factorize
from tem_vae.geometry.mixture import NeighborhoodMixture
from tem_vae.geometry.neighborhood import Neighborhood
from tem_vae.geometry.pseudometric import Pseudometric

__all__ = [
    "Factorization",
    "Neighborhood",
    "NeighborhoodMixture",
    "Pseudometric",
    "RankDeficientError",
    "factorize",
]
