"""Checkpoint files, which may be a stranger's: values, configuration and weights, all checked.

Neither torch nor pickle reads the file: see `tem_vae.runs.archive` and `tem_vae.runs.stored_values`. Memory
is only taken for tensors that the configuration explains.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tem_vae.config.build import build_model
from tem_vae.config.plugins import CONTEXT_KEY, refusals
from tem_vae.config.training import TrainConfig
from tem_vae.errors import CheckpointError
from tem_vae.model import TemVae
from tem_vae.runs.archive import Archive, ArchiveError, open_archive
from tem_vae.runs.checkpoint import CONFIG_KEY, find_checkpoint
from tem_vae.runs.stored_values import StoredTensor, StoredValuesError, read_values

_WEIGHTS_KEY = "state_dict"
_MODEL_PREFIX = "model."
_NUMBERS_IN_ANY_MACHINE = 2**26  # 256 MiB
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


def read_checkpoint(path: str | Path, plugins: Sequence[str] = ()) -> Checkpoint:
    """All of a checkpoint, to continue its run.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).
        plugins: The packages that it may import classes from.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or a damaged one, or it names a
            class of another package, which is not imported.
    """
    with _opened(path) as archive:
        tensors = _Tensors(archive)
        config, described = _read_described(archive, tensors.check, plugins)
        _, expected = _match(config, described, tensors.size)
        contents = _read_contents(archive, tensors.build)
        _check_finite({name: tensors.build(weight) for name, weight in expected.items()})
        return Checkpoint(config, contents)


def read_model(path: str | Path, plugins: Sequence[str] = ()) -> tuple[TrainConfig, TemVae]:
    """The configuration in a checkpoint, and its model with the weights in it.

    Args:
        path: A .ckpt file, or the directory of a run (its ``checkpoints/best.ckpt``).
        plugins: The packages that it may import classes from.

    Raises:
        CheckpointError: There is no checkpoint of this program at the path, or a damaged one, or it names a
            class of another package, which is not imported.
    """
    with _opened(path) as archive:
        tensors = _Tensors(archive)
        config, described = _read_described(archive, tensors.check, plugins)
        model, expected = _match(config, described, tensors.size)
        weights = {name: tensors.build(weight) for name, weight in expected.items()}
        _check_finite(weights)
        model.load_state_dict(weights)
        return config, model


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
    except ValidationError as error:
        if refusal := next(refusals(error), None):
            raise CheckpointError(f"{file}: {refusal}") from None
        raise CheckpointError(
            f"{file} was not written by this program, or by another version of it: it holds no valid "
            "configuration; use a checkpoint that scripts/train.py wrote"
        ) from None


def _read_contents(archive: Archive, build: Callable[[StoredTensor], Any]) -> dict[str, Any]:
    contents = read_values(archive.read("data.pkl"), build)
    if type(contents) is not dict:
        raise StoredValuesError("it holds no values by name")
    return contents


def _read_described(
    archive: Archive, check: Callable[[StoredTensor], StoredTensor], plugins: Sequence[str]
) -> tuple[TrainConfig, Mapping[object, object]]:
    """The configuration, and the weights as a description of where their numbers are."""
    contents = _read_contents(archive, check)
    # Without the context check_files: what a stored configuration names is not opened. What it may import
    # comes from the caller, whatever it says itself.
    config = TrainConfig.model_validate(contents.get(CONFIG_KEY), context={CONTEXT_KEY: plugins})
    described = contents.get(_WEIGHTS_KEY)
    if not isinstance(described, dict):
        raise StoredValuesError("it holds no weights")
    return config, described


def _match(
    config: TrainConfig, described: Mapping[object, object], size: int
) -> tuple[TemVae, dict[str, StoredTensor]]:
    """A fresh model of the configuration, and its weights by name; each must have the shape that it needs."""
    weights = {
        name.removeprefix(_MODEL_PREFIX): weight
        for name, weight in described.items()
        if isinstance(name, str) and name.startswith(_MODEL_PREFIX) and isinstance(weight, StoredTensor)
    }
    with torch.random.fork_rng(), _NoMoreThan(size):
        model = build_model(config.model, config.data.walk_shape)
    expected = model.state_dict()
    for name in sorted(expected.keys() ^ weights.keys()):
        difference = "lacks the weight" if name in expected else "has a weight that its model has not,"
        raise StoredValuesError(f"it {difference} {name[:80]}")
    for name, weight in weights.items():
        if weight.dtype not in _WEIGHT_DTYPES:
            raise StoredValuesError(f"its weight {name} is in {weight.dtype}, which has no fractions")
        if weight.shape != expected[name].shape:
            raise StoredValuesError(
                f"its weight {name} has shape {weight.shape}, and must have {tuple(expected[name].shape)}"
            )
    return model, weights


class _NoMoreThan(TorchFunctionMode):
    """Refuses to build what is larger than the file: a configuration can ask for anything.

    Args:
        numbers: How many may be made; fewer than fit into any machine are always allowed.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self._most = max(numbers, _NUMBERS_IN_ANY_MACHINE)
        self._made: dict[int, int] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call a function of torch, and count what it makes before anything is written there."""
        made = func(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self._made[made.data_ptr()] = made.numel()  # several may be the same numbers
            if sum(self._made.values()) > self._most:
                raise StoredValuesError("its configuration asks for a larger model than its weights are of")
        return made


def _check_finite(weights: Mapping[str, Tensor]) -> None:
    for name, weight in weights.items():
        if not weight.float().isfinite().all():
            raise StoredValuesError(f"its weight {name} holds numbers that are not finite")


class _Tensors:
    """Makes tensors of their descriptions; those that share their numbers in the file share them here.

    Attributes:
        size: Of all tensors in the file together, in bytes.
    """

    def __init__(self, archive: Archive) -> None:
        self.size = sum(archive.sizes.values())
        self._archive = archive
        self._numbers: dict[tuple[str, str], Tensor] = {}

    def check(self, tensor: StoredTensor) -> StoredTensor:
        """The same description, if there are as many numbers as it says."""
        itemsize = getattr(torch, tensor.dtype).itemsize
        if self._archive.sizes.get(tensor.key) != tensor.stored * itemsize:
            raise StoredValuesError("it holds more or fewer numbers than it says")
        return tensor

    def build(self, tensor: StoredTensor) -> Tensor:
        """The tensor that is described."""
        place = (tensor.key, tensor.dtype)
        if place not in self._numbers:
            self._numbers[place] = self._read(self.check(tensor))
        return self._numbers[place].as_strided(tensor.shape, tensor.stride, tensor.offset)

    def _read(self, tensor: StoredTensor) -> Tensor:
        dtype = getattr(torch, tensor.dtype)
        if not tensor.stored:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(self._archive.read(f"data/{tensor.key}"), dtype=dtype)
