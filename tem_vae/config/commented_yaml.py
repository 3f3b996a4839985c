"""The files in ``conf/`` as they are written: each value with the comment behind it, which says why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_PACKAGE = "# @package _global_"


class Leaf(NamedTuple):
    """A value as written, and the comment at the end of its line."""

    text: str
    comment: str


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
            leaves |= read_leaves(file.with_name(f"{entry}.yaml"), conf) if entry != "_self_" else {}
            continue
        ((name, choice),) = entry.items()
        if name.startswith("override /"):
            leaves[name.removeprefix("override /")] = Leaf(choice, "")
        elif choice is not None:
            nested = conf / group / name.removeprefix("optional ") / f"{choice}.yaml"
            leaves |= read_leaves(nested, conf)
    return leaves | dict(_values(yaml.compose(text), package, text.splitlines()))


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
