"""Every key of the configuration on a page: docs/configuration.md, written from the schema and from conf/."""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from tem_vae.config.command_line import CONF
from tem_vae.config.defaults import NO_LEAF, Leaf, groups, read_introduction, read_leaves
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.fields import Allowed, Section, sections_of, tag_of
from tem_vae.config.training import TrainConfig

PAGE = CONF.parent / "docs" / "configuration.md"
COMMAND = "python scripts/configuration_reference.py"
_INTRODUCTION = f"""# Configuration

All that can be given on the command line, key by key. Written by `{COMMAND}` from the
[schema](../tem_vae/config/training.py) and from the defaults in [conf/](../conf), whose comments say why each
is what it is. A key that is not listed, a value that is not allowed and a combination that cannot work are
refused before anything is built, all of them in one message, with exit status 2.

    python scripts/train.py model.metric.rank=4 data=hexagonal data.world.radius=[2,5]

Where a section has several kinds, a key that only another kind has is left out if it comes from a default,
and refused if it was given: with `model.encoder.kind=identity` the default of `model.encoder.hidden_dim` does
not count, and `model.encoder.hidden_dim=8` beside it is an error.

*Not tuned*: no other value was compared with this one in a recorded run.
"""

_FIRST = """## What people change

Twelve keys, and two groups: `data=` chooses worlds or recorded walks, `logger=` where scalars go.
"""
_FIRST_KEYS = (
    *("run_dir", "resume", "seed", "trainer.max_steps", "optimizer.learning_rate"),
    *("data.world.height", "data.world.width", "data.walk_length", "data.batch_size"),
    *("model.metric.rank", "model.metric.tau", "model.neighborhood.scale"),
)

_ALTERNATIVES = "A choice brings all values of its file. Listed are those that differ from the default's.\n"
_TYPES = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path"}


class Part(NamedTuple):
    """A section of the configuration.

    Attributes:
        key: With dots; empty for the whole.
        meaning: What it is.
        schema: The keys in it.
        leaves: The values of the configuration that it is a part of, by key.
        choice: What brings it, such as ``data=hexagonal``; empty for a default.
    """

    key: str
    meaning: str
    schema: type[Section]
    leaves: Mapping[str, Leaf]
    choice: str = ""


class Row(NamedTuple):
    """A key that holds a value."""

    key: str
    meaning: str
    allowed: str
    default: Leaf


def render() -> str:
    """The page, as Markdown."""
    training = read_leaves(CONF / "train.yaml", CONF)
    evaluation = read_leaves(CONF / "evaluate.yaml", CONF)
    blocks = [
        _INTRODUCTION,
        _FIRST,
        _render_first(training),
        "## Training: `scripts/train.py`\n",
        *map(_render_part, parts(TrainConfig, training)),
        "## Choices\n",
        _ALTERNATIVES,
        _table(
            ("choice", "what it is", "what differs"),
            [cells for group in groups() for cells in _choices(group, training)],
        ),
        "## Evaluation: `scripts/evaluate.py`\n",
        *map(_render_part, parts(EvaluateConfig, evaluation)),
    ]
    return "\n".join(block for block in blocks if block)


def _render_first(leaves: Mapping[str, Leaf]) -> str:
    """The keys that are changed most, with meaning and default."""
    told = {row.key: row for part in parts(TrainConfig, leaves) if not part.choice for row in rows(part)}
    cells = [(f"`{key}`", told[key].meaning, f"`{told[key].default.text}`") for key in _FIRST_KEYS]
    return _table(("key", "meaning", "default"), cells)


def parts(schema: type[Section], leaves: Mapping[str, Leaf]) -> Iterator[Part]:
    """A configuration section by section, what can stand instead of a section behind it."""
    described: set[type[Section]] = set()
    pending = [Part("", _summary(schema), schema, leaves)]
    while pending:
        part = pending.pop(0)
        yield part
        pending = [*_inner_parts(part, described), *pending]


def _inner_parts(part: Part, described: set[type[Section]]) -> Iterator[Part]:
    for name, field in part.schema.model_fields.items():
        key = f"{part.key}.{name}".removeprefix(".")
        for section in sections_of(field.annotation):
            meaning = _joined(field.description or "", _summary(section))
            if _is_chosen(key, field, section, part.leaves):
                yield Part(key, meaning, section, part.leaves, part.choice)
            elif section not in described:
                yield _find_choice(part, key, meaning, field, section)
            described.add(section)


def _find_choice(part: Part, key: str, meaning: str, field: FieldInfo, section: type[Section]) -> Part:
    """A section that is no default, with the values of the first file in ``conf/`` that chooses it."""
    folder = CONF.joinpath(*key.split("."))
    folder = folder if folder.is_dir() else folder.parent
    for file in sorted(folder.glob("*.yaml")):
        leaves = read_leaves(file, CONF)
        if _is_chosen(key, field, section, leaves):
            group = folder.relative_to(CONF).as_posix()
            return Part(key, meaning, section, {**part.leaves, **leaves}, f"{group}={file.stem}")
    raise LookupError(
        f"no file in {folder} has a {section.__name__} at {key}; add one, so that it can be chosen"
    )


def _is_chosen(key: str, field: FieldInfo, section: type[Section], leaves: Mapping[str, Leaf]) -> bool:
    tag = field.discriminator
    return not isinstance(tag, str) or leaves.get(f"{key}.{tag}", NO_LEAF).text == tag_of(section)[1]


def rows(part: Part) -> Iterator[Row]:
    """The keys of a section that hold values."""
    for name, field in part.schema.model_fields.items():
        if not sections_of(field.annotation):
            key = f"{part.key}.{name}".removeprefix(".")
            values = allowed(field.annotation, field.metadata)
            yield Row(key, field.description or "", values, part.leaves[key])


def allowed(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """The values that an annotation and the constraints of its field allow, in words."""
    constraints = list(_flat(metadata))
    if words := [constraint.words for constraint in constraints if isinstance(constraint, Allowed)]:
        return words[-1]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return allowed(arguments[0], [*constraints, *arguments[1:]])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        members = [allowed(member, constraints) for member in arguments if member is not type(None)]
        return ", or ".join([*members, "`null`"] if type(None) in arguments else members)
    if origin is list:
        return f"list of {allowed(arguments[0])}"
    bounds = " and ".join(filter(None, map(_bound, constraints)))
    return f"{_TYPES[annotation]} {bounds}".rstrip()


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for constraint in metadata:
        yield from constraint.metadata if isinstance(constraint, FieldInfo) else (constraint,)


def _bound(constraint: object) -> str:
    match constraint:
        case annotated_types.Ge(ge=limit):
            return f"≥ {limit}"
        case annotated_types.Gt(gt=limit):
            return f"> {limit}"
        case annotated_types.Le(le=limit):
            return f"≤ {limit}"
        case annotated_types.Lt(lt=limit):
            return f"< {limit}"
        case annotated_types.MinLen():
            return "that is not empty"
    return ""


def _render_part(part: Part) -> str:
    cells = [
        (
            f"`{row.key}`",
            row.meaning,
            row.allowed,
            "must be given" if row.default.text == "???" else f"`{row.default.text}`",
            row.default.comment,
        )
        for row in rows(part)
    ]
    if not cells:
        return ""
    chosen = f", with `{part.choice}`" if part.choice else ""
    heading = f"### `{part.key}`{chosen}\n\n" if part.key else ""
    return heading + part.meaning + "\n\n" + _table(("key", "meaning", "allowed", "default", "why"), cells)


def _choices(group: str, defaults: Mapping[str, Leaf]) -> Iterator[tuple[str, str, str]]:
    folder = CONF / group
    files = folder.glob("*.yaml") if group in TrainConfig.model_fields else folder.rglob("*.yaml")
    for file in sorted(files):
        leaves = read_leaves(file, CONF)
        changes = ", ".join(
            f"`{key.removeprefix('hydra.sweeper.params.')}: {leaf.text}`"
            for key, leaf in leaves.items()
            if key not in defaults or leaf.text != defaults[key].text
        )
        name = file.relative_to(folder).with_suffix("").as_posix()
        yield f"`{group}={name}`", read_introduction(file), changes or "the default"


def _summary(schema: type[Section]) -> str:
    return (schema.__doc__ or "").splitlines()[0]


def _joined(description: str, summary: str) -> str:
    """Both, unless one says what the other says."""
    if summary.rstrip(".") in description:
        return description
    return summary if description.rstrip(".") in summary else f"{description} {summary}"


def _table(header: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *cells]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
