"""Checkpoints: what a run leaves to be loaded, by others too."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from tem_vae.config.build import build_model, build_percepts
from tem_vae.config.fields import CONFIG_KEY
from tem_vae.config.training import TrainConfig
from tem_vae.data import PerceptSource
from tem_vae.errors import CheckpointError
from tem_vae.model import TemVae

_MODEL_PREFIX = "model."


@dataclass(frozen=True)
class TrainedRun:
    """What a checkpoint holds.

    Attributes:
        config: The configuration of its run.
        percepts: The percept source that the configuration describes.
        actions: The names of the actions, in the order of their numbers.
        model: The trained model, in evaluation mode.
    """

    config: TrainConfig
    percepts: PerceptSource
    actions: tuple[str, ...]
    model: TemVae


def load(path: str | Path) -> TemVae:
    """The trained model of a checkpoint, ready to evaluate.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).

    Raises:
        CheckpointError: There is no checkpoint of this program at the path.
    """
    return load_run(path).model


def load_run(path: str | Path) -> TrainedRun:
    """The trained model of a checkpoint with its configuration. Runs no code that the checkpoint brings.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path.
    """
    checkpoint, config = _read(path)
    percepts = build_percepts(config.data.percepts)
    actions = config.data.world.actions
    with torch.random.fork_rng():
        model = build_model(config.model, percepts.percept_shape, len(actions))
    weights = {
        name.removeprefix(_MODEL_PREFIX): value
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(_MODEL_PREFIX)
    }
    model.load_state_dict(weights)
    return TrainedRun(config, percepts, actions, model.eval())


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The contents of a checkpoint, tensors and plain values only.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path.
    """
    return _read(path)[0]


def _read(path: str | Path) -> tuple[dict[str, Any], TrainConfig]:
    """The contents of a checkpoint, and the configuration in them."""
    file = find_checkpoint(Path(path))
    try:
        checkpoint: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        config = TrainConfig.model_validate(checkpoint[CONFIG_KEY])
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{file} is no whole checkpoint: {str(error).splitlines()[0]} "
            "Use another checkpoint of the run, such as last.ckpt."
        ) from error
    except (KeyError, TypeError, ValidationError):
        raise CheckpointError(
            f"{file} was not written by this program, or by another version of it: it holds no valid "
            "configuration. Use a checkpoint that scripts/train.py wrote."
        ) from None
    return checkpoint, config


def find_checkpoint(path: Path) -> Path:
    """The checkpoint file that a path means.

    Raises:
        CheckpointError: There is none.
    """
    file = path / "checkpoints" / "best.ckpt" if path.is_dir() else path
    if not file.is_file():
        raise CheckpointError(
            f"there is no checkpoint at {file}; give a .ckpt file or the directory of a run that has "
            "checkpoints/best.ckpt"
        )
    return file
