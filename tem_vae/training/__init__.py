"""Training and evaluation of the TEM VAE, and trained models for use elsewhere."""

from typing import TYPE_CHECKING, Any

from tem_vae.training.errors import CheckpointError, ConfigurationError

if TYPE_CHECKING:
    from tem_vae.training.checkpoint import TrainedRun, load, load_run

__all__ = ["CheckpointError", "ConfigurationError", "TrainedRun", "load", "load_run"]


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is asked for: a configuration is checked without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tem_vae.training import checkpoint

    return getattr(checkpoint, name)
