"""Training of the TEM VAE, and trained models for use elsewhere."""

from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.evaluation.trained import TrainedRun, load, load_run

__all__ = ["CheckpointError", "ConfigurationError", "TrainedRun", "load", "load_run"]
