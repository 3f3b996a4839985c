"""What ``conf/`` says: values as they are written, the comments behind them, and what one chooses from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tem_vae.config.command_line import CONF
from tem_vae.config.evaluation import CHANGEABLE, UNCHANGED
from tem_vae.config.fields import keys_of
from tem_vae.config.training import TrainConfig

_PACKAGE = "# @package _global_"


class Leaf(NamedTuple):
    """A value as written, and the comment at the end of its line."""

    text: str
    comment: str


NO_LEAF = Leaf("", "")


def groups() -> Iterator[str]:
    """Every folder of ``conf/`` that one chooses a file from, in the order of the defaults of a run."""
    for entry in yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))["defaults"]:
        if entry == "_self_":
            continue
        group = next(iter(entry)).removeprefix("optional ")
        yield group
        # Folders in a section are groups of their own; those in experiment/ only put experiments in order.
        inner = CONF.joinpath(group).glob("*/") if group in TrainConfig.model_fields else ()
        yield from sorted(folder.relative_to(CONF).as_posix() for folder in inner)


def read_introduction(file: Path) -> str:
    """The comment that a file begins with, as one line."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line != _PACKAGE]
    first = next(number for number, line in enumerate([*lines, ""]) if not line.startswith("#"))
    return " ".join(line.removeprefix("#").strip() for line in lines[:first])


def read_leaves(file: Path, conf: Path) -> dict[str, Leaf]:
    """All values of a file and of the defaults that it names, by key with dots.

    What a file overrides in the defaults of another, such as ``override /data/percepts: symbols``, comes
    under the name of that group, ``data/percepts``.

    Args:
        file: Somewhere in ``conf``.
        conf: The folder of all configurations. Where a file lies in it says where its values belong.
    """
    text = file.read_text(encoding="utf-8")
    group = file.relative_to(conf).parent
    package = "" if _PACKAGE in text else ".".join(group.parts)
    leaves: dict[str, Leaf] = {}
    for entry in yaml.safe_load(text).get("defaults", []):
        if isinstance(entry, str):
            leaves |= _read_default(entry, file, conf)
            continue
        ((name, choice),) = entry.items()
        if name.startswith("override /"):
            leaves[name.removeprefix("override /")] = Leaf(choice, "")
        elif choice is not None:
            nested = conf / group / name.removeprefix("optional ") / f"{choice}.yaml"
            leaves |= read_leaves(nested, conf)
    return leaves | dict(_values(yaml.compose(text), package, text.splitlines()))


def _read_default(entry: str, file: Path, conf: Path) -> dict[str, Leaf]:
    if entry == "_self_":
        return {}
    if entry == UNCHANGED:
        return {
            f"{name}.{key}": Leaf("null", "")
            for name, section in CHANGEABLE.items()
            for key in keys_of(section)
        }
    return read_leaves(file.with_name(f"{entry}.yaml"), conf)


def _values(node: Any, key: str, lines: list[str]) -> Iterator[tuple[str, Leaf]]:
    for name, value in node.value:
        inner = f"{key}.{name.value}".removeprefix(".")
        if isinstance(value, yaml.MappingNode):
            yield from _values(value, inner, lines)
        elif name.value != "defaults":
            line = lines[value.start_mark.line][value.start_mark.column :]
            yield inner, Leaf(_as_written(value), line.partition(" # ")[2])


def _as_written(node: Any) -> str:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    return f"[{', '.join(_as_written(item) for item in node.value)}]"
