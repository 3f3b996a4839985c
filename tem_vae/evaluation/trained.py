"""Trained models, as a checkpoint keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tem_vae.config.training import TrainConfig
from tem_vae.data import PerceptSource
from tem_vae.evaluation.checkpoint import read_model
from tem_vae.model import TemVae


@dataclass(frozen=True)
class TrainedRun:
    """A trained model and what belongs to it.

    Attributes:
        config: The configuration of its run.
        percepts: The percept source that the configuration describes; None where percepts were recorded.
        actions: The names of the actions, in the order of their numbers.
        model: The trained model, in evaluation mode.
    """

    config: TrainConfig
    percepts: PerceptSource | None
    actions: tuple[str, ...]
    model: TemVae


def load(path: str | Path, plugins: Sequence[str] = ()) -> TemVae:
    """The trained model of a checkpoint, ready to evaluate.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).
        plugins: The packages that it may import classes from; look at their code first.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or it names a class of another
            package, which is not imported.
    """
    return load_run(path, plugins).model


def load_run(path: str | Path, plugins: Sequence[str] = ()) -> TrainedRun:
    """The trained model of a checkpoint with its configuration. Runs no code that the checkpoint brings.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).
        plugins: The packages that it may import classes from; look at their code first.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or it names a class of another
            package, which is not imported.
    """
    config, model = read_model(path, plugins)
    return TrainedRun(config, config.data.build_percepts(), config.data.actions, model.eval())
