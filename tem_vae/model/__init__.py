"""The TEM VAE as plain modules."""

from tem_vae.model.decoder import MlpDecoder
from tem_vae.model.elbo import ElboTerms, importance_weighted_bound
from tem_vae.model.encoder import IdentityEncoder, MlpEncoder
from tem_vae.model.generative import Inference, Prediction, TemVae
from tem_vae.model.memory import MemoryPrior
from tem_vae.model.path_integration import PathIntegrator

__all__ = [
    "ElboTerms",
    "IdentityEncoder",
    "Inference",
    "MemoryPrior",
    "MlpDecoder",
    "MlpEncoder",
    "PathIntegrator",
    "Prediction",
    "TemVae",
    "importance_weighted_bound",
]
