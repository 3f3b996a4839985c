"""Training of the TEM VAE, and trained models for use elsewhere."""

from typing import TYPE_CHECKING

from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.evaluation.trained import TrainedRun, load, load_run

if TYPE_CHECKING:
    from tem_vae.training.fitting import FittedRun, fit

__all__ = ["CheckpointError", "ConfigurationError", "FittedRun", "TrainedRun", "fit", "load", "load_run"]


def __getattr__(name: str) -> object:
    """What trains is imported when it is asked for: it takes seconds, and loading a model needs none."""
    if name in ("FittedRun", "fit"):
        from tem_vae.training import fitting

        return getattr(fitting, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
