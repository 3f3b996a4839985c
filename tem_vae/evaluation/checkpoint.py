"""Checkpoint files, which may be a stranger's: values, configuration and weights, all checked.

Neither torch nor pickle reads the file: see `tem_vae.runs.archive` and `tem_vae.runs.stored_values`. Memory
is only taken for tensors that the configuration explains.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.errors import CheckpointError
from tem_vae.runs.archive import Archive, ArchiveError, open_archive
from tem_vae.runs.checkpoint import CONFIG_KEY, find_checkpoint
from tem_vae.runs.stored_values import StoredTensor, StoredValuesError, read_values

_WEIGHTS_KEY = "state_dict"
_MODEL_PREFIX = "model."
_WEIGHT_DTYPES = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint as it was written.

    Attributes:
        config: The configuration of its run.
        contents: All that Lightning put into it, by key.
    """

    config: TrainConfig
    contents: dict[str, Any]


def read_checkpoint(path: str | Path) -> Checkpoint:
    """All of a checkpoint, to continue its run.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or a damaged one.
    """
    with _opened(path) as archive:
        config, described = _read_described(archive)
        _check_described(described, config)
        contents = _read_contents(archive, _Tensors(archive))
        _check_finite(contents[_WEIGHTS_KEY])
        return Checkpoint(config, contents)


def read_weights(path: str | Path) -> tuple[TrainConfig, dict[str, Tensor]]:
    """The configuration in a checkpoint, and the weights of its model by name.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or a damaged one.
    """
    with _opened(path) as archive:
        config, described = _read_described(archive)
        weights = _check_described(described, config)
        build = _Tensors(archive)
        tensors = {name: build(weight) for name, weight in weights.items()}
        _check_finite(tensors)
        return config, tensors


@contextmanager
def _opened(path: str | Path) -> Iterator[Archive]:
    """The archive at a path; whatever is wrong with it is one kind of error, in one sentence."""
    file = find_checkpoint(Path(path))
    if file is None:
        raise CheckpointError(
            f"there is no checkpoint at {path}; give a .ckpt file, or the directory of a run that has "
            "checkpoints/best.ckpt"
        )
    try:
        with open_archive(file) as archive:
            yield archive
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}") from None
    except (ArchiveError, StoredValuesError) as error:
        raise CheckpointError(
            f"{file} is no whole checkpoint: {error}; use another checkpoint of the run, such as last.ckpt"
        ) from error
    except ValidationError:
        raise CheckpointError(
            f"{file} was not written by this program, or by another version of it: it holds no valid "
            "configuration; use a checkpoint that scripts/train.py wrote"
        ) from None


def _read_contents(archive: Archive, build: Callable[[StoredTensor], Any]) -> dict[str, Any]:
    contents = read_values(archive.read("data.pkl"), build)
    if type(contents) is not dict:
        raise StoredValuesError("it holds no values by name")
    return contents


def _read_described(archive: Archive) -> tuple[TrainConfig, Mapping[object, object]]:
    """The configuration, and the weights as a description of where their numbers are."""
    contents = _read_contents(archive, lambda tensor: tensor)
    # Without the context check_files: what a stored configuration names is not opened.
    config = TrainConfig.model_validate(contents.get(CONFIG_KEY))
    described = contents.get(_WEIGHTS_KEY)
    if not isinstance(described, dict):
        raise StoredValuesError("it holds no weights")
    return config, described


def _check_described(described: Mapping[object, object], config: TrainConfig) -> dict[str, StoredTensor]:
    """The weights of the model by name, if they are those of the configuration, each with its shape.

    The model is built without memory for its numbers: a configuration can ask for more than there is.
    """
    with torch.device("meta"):
        percept_shape, n_actions = config.data.percepts.percept_shape, len(config.data.world.actions)
        expected = build_model(config.model, percept_shape, n_actions).state_dict()
    weights = {
        name.removeprefix(_MODEL_PREFIX): weight
        for name, weight in described.items()
        if isinstance(name, str) and name.startswith(_MODEL_PREFIX) and isinstance(weight, StoredTensor)
    }
    for name in sorted(expected.keys() ^ weights.keys()):
        difference = "lacks the weight" if name in expected else "has a weight that its model has not,"
        raise StoredValuesError(f"it {difference} {name[:80]}")
    for name, weight in weights.items():
        if weight.dtype not in _WEIGHT_DTYPES:
            raise StoredValuesError(f"its weight {name} is in {weight.dtype}, which is no kind of fraction")
        if weight.shape != expected[name].shape:
            raise StoredValuesError(
                f"its weight {name} has shape {weight.shape}, and must have {tuple(expected[name].shape)}"
            )
    return weights


def _check_finite(weights: Mapping[str, Tensor]) -> None:
    for name, weight in weights.items():
        if weight.is_floating_point() and not weight.float().isfinite().all():
            raise StoredValuesError(f"its weight {name} holds numbers that are not finite")


class _Tensors:
    """Makes tensors of their descriptions; those that share their numbers in the file share them here."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._numbers: dict[str, Tensor] = {}

    def __call__(self, tensor: StoredTensor) -> Tensor:
        numbers = self._numbers.get(tensor.key)
        if numbers is None:
            numbers = self._numbers[tensor.key] = self._read(tensor)
        elif numbers.dtype != getattr(torch, tensor.dtype):
            raise StoredValuesError("it holds numbers of two kinds in one place")
        return numbers.as_strided(tensor.shape, tensor.stride, tensor.offset)

    def _read(self, tensor: StoredTensor) -> Tensor:
        dtype: torch.dtype = getattr(torch, tensor.dtype)
        if self._archive.sizes.get(tensor.key) != tensor.stored * dtype.itemsize:
            raise StoredValuesError("it holds more or fewer numbers than it says")
        if not tensor.stored:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(self._archive.read(f"data/{tensor.key}"), dtype=dtype)
