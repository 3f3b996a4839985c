"""Training and evaluation of the TEM VAE, and trained models for use elsewhere."""

from tem_vae.training.checkpoint import TrainedRun, load, load_run
from tem_vae.training.errors import CheckpointError, ConfigurationError

__all__ = ["CheckpointError", "ConfigurationError", "TrainedRun", "load", "load_run"]
