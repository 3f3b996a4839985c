"""Checkpoints: what a run leaves to be loaded, by others too."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from tem_vae.config.build import build_model, build_percepts
from tem_vae.config.training import TrainConfig
from tem_vae.data import PerceptSource
from tem_vae.errors import CheckpointError
from tem_vae.model import TemVae
from tem_vae.runs.checkpoint import CONFIG_KEY, find_checkpoint

_MODEL_PREFIX = "model."


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it was written.

    Attributes:
        config: The configuration of its run.
        contents: All that Lightning put into it, by key.
    """

    config: TrainConfig
    contents: dict[str, Any]


@dataclass(frozen=True)
class TrainedRun:
    """A trained model and what belongs to it.

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
    checkpoint = read_checkpoint(path)
    config = checkpoint.config
    percepts = build_percepts(config.data.percepts)
    actions = config.data.world.actions
    with torch.random.fork_rng():
        model = build_model(config.model, percepts.percept_shape, len(actions))
    weights = {
        name.removeprefix(_MODEL_PREFIX): value
        for name, value in checkpoint.contents["state_dict"].items()
        if name.startswith(_MODEL_PREFIX)
    }
    model.load_state_dict(weights)
    return TrainedRun(config, percepts, actions, model.eval())


def read_checkpoint(path: str | Path) -> Checkpoint:
    """The contents of a checkpoint, tensors and plain values only.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path.
    """
    file = find_checkpoint(Path(path))
    if file is None:
        raise CheckpointError(
            f"there is no checkpoint at {path}; give a .ckpt file, or the directory of a run that has "
            "checkpoints/best.ckpt"
        )
    try:
        contents = torch.load(file, map_location="cpu", weights_only=True)
        return Checkpoint(TrainConfig.model_validate(contents[CONFIG_KEY]), contents)
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
