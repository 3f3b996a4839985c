"""YAML files that somebody else may have written: plain values only, none of which stands for another."""

from pathlib import Path
from typing import Any

import yaml

from tem_vae.reading import read_given

_LARGEST_FILE = 16 * 2**20  # bytes: three world files of the largest size, and the rest
_DEEPEST = 50
_LOADER: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the first is ten times as fast; not all have it


def read_yaml(file: Path) -> Any:
    """The values in a YAML file.

    Anchors are refused: ten lines of them can stand for more values than there is memory.

    Raises:
        yaml.YAMLError: It is no YAML, holds anchors, or is nested too deeply.
        OSError: It is missing, may not be read, is no regular file, or is too large; ``strerror`` says which.
    """
    text = read_given(file, _LARGEST_FILE)
    try:
        _check_events(text)
        return yaml.load(text, Loader=_LOADER)
    except ValueError as error:
        raise yaml.YAMLError(f"a value in it cannot be read: {error}") from None


def _check_events(text: bytes) -> None:
    """Before any value is made. The loader would follow any depth, to the end of the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if getattr(event, "anchor", None) is not None:
            raise yaml.YAMLError("it holds anchors (&) or aliases (*); write every value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {_DEEPEST} deep")
