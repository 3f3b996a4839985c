"""The TEM VAE as plain modules."""

from tem_vae.model.decoder import MlpDecoder
from tem_vae.model.elbo import ElboTerms, importance_weighted_bound
from tem_vae.model.encoder import IdentityEncoder, MlpEncoder
from tem_vae.model.generative import Inference, Memory, Prediction, TemVae
from tem_vae.model.leak import LeakyTemVae
from tem_vae.model.memory import MemoryPrior
from tem_vae.model.observer import Expectation, Observer
from tem_vae.model.path_integration import PathIntegrator
from tem_vae.model.restricted_metrics import diagonal_metric, euclidean_metric, random_metric
from tem_vae.model.standard_normal import StandardNormalPrior

__all__ = [
    "ElboTerms",
    "Expectation",
    "IdentityEncoder",
    "Inference",
    "LeakyTemVae",
    "Memory",
    "MemoryPrior",
    "MlpDecoder",
    "MlpEncoder",
    "Observer",
    "PathIntegrator",
    "Prediction",
    "StandardNormalPrior",
    "TemVae",
    "diagonal_metric",
    "euclidean_metric",
    "importance_weighted_bound",
    "random_metric",
]
