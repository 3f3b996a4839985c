"""The TEM VAE as plain modules."""

from tem_vae.model.ablations import (
    LeakyTemVae,
    MemorylessPrior,
    StandardNormalPrior,
    diagonal_metric,
    euclidean_metric,
    random_metric,
)
from tem_vae.model.belief import Belief, BeliefTrace
from tem_vae.model.belief_observer import BeliefObserver
from tem_vae.model.convolutions import ConvolutionalDecoder, ConvolutionalEncoder
from tem_vae.model.decoders import MlpDecoder
from tem_vae.model.elbo import ElboTerms, importance_weighted_bound
from tem_vae.model.encoders import IdentityEncoder, MlpEncoder
from tem_vae.model.inference import Inference
from tem_vae.model.likelihoods import (
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    GaussianLikelihood,
)
from tem_vae.model.linear_integration import LinearIntegrator
from tem_vae.model.memory import MemoryPrior
from tem_vae.model.motion import MotionNoise
from tem_vae.model.observer import Expectation, Observer
from tem_vae.model.parts import (
    Decoder,
    Encoder,
    Integrator,
    Likelihood,
    Location,
    Memory,
    Prior,
)
from tem_vae.model.path_integration import PathIntegrator
from tem_vae.model.persistent_slips import PersistentSlips, numbered_slips
from tem_vae.model.prediction import Prediction
from tem_vae.model.slips import ActionSlips
from tem_vae.model.standardizer import Standardizer
from tem_vae.model.tem_vae import TemVae
from tem_vae.model.walk_prior import WalkPrior

__all__ = [
    "ActionSlips",
    "Belief",
    "BeliefObserver",
    "BeliefTrace",
    "BernoulliLikelihood",
    "ContinuousBernoulliLikelihood",
    "ConvolutionalDecoder",
    "ConvolutionalEncoder",
    "Decoder",
    "ElboTerms",
    "Encoder",
    "Expectation",
    "GaussianLikelihood",
    "IdentityEncoder",
    "Inference",
    "Integrator",
    "LeakyTemVae",
    "Likelihood",
    "LinearIntegrator",
    "Location",
    "Memory",
    "MemoryPrior",
    "MemorylessPrior",
    "MlpDecoder",
    "MlpEncoder",
    "MotionNoise",
    "Observer",
    "PathIntegrator",
    "PersistentSlips",
    "Prediction",
    "Prior",
    "StandardNormalPrior",
    "Standardizer",
    "TemVae",
    "WalkPrior",
    "diagonal_metric",
    "euclidean_metric",
    "importance_weighted_bound",
    "numbered_slips",
    "random_metric",
]
