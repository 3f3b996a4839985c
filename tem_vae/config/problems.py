"""A composed configuration held against its schema: every problem by key, value and what is allowed."""

import copy
import difflib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tem_vae.errors import ConfigurationError

Config = TypeVar("Config", bound=BaseModel)
Location = tuple[int | str, ...]

NO_VALUE = object()
_MUST_BE_GIVEN = "must be given"


@dataclass(frozen=True)
class Problem:
    """Something wrong in a configuration.

    Attributes:
        key: Where, with dots; empty where no key can be named.
        explanation: What is allowed instead.
        value: What was given.
        misspelt: Whether the key itself is what is wrong.
    """

    key: str
    explanation: str
    value: object = NO_VALUE
    misspelt: bool = False

    def __str__(self) -> str:
        given = "" if self.value is NO_VALUE else f" = {_show(self.value)}"
        return f"  {self.key}{given}: {self.explanation}" if self.key else f"  {self.explanation}"


def validate(config: DictConfig, schema: type[Config]) -> Config:
    """The checked configuration.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    raise_problems(find_problems(config, schema))
    return schema.model_validate(plain_values(config))


def check(values: dict[str, Any], schema: type[Config]) -> Config:
    """The checked configuration of plain values, files and folders aside.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    raise_problems([_explain(schema, error) for error in _errors(values, schema, check_files=False)])
    return schema.model_validate(values)


def raise_problems(problems: Sequence[Problem]) -> None:
    """Tell all problems in one message.

    Raises:
        ConfigurationError: There are any.
    """
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigurationError("\n".join([f"The configuration has {count}:", *map(str, problems)]))


def find_problems(
    config: DictConfig, schema: type[BaseModel], valid: Mapping[str, Any] | None = None
) -> list[Problem]:
    """Every problem of a composed configuration.

    Args:
        config: As composed.
        schema: What it is held against. Its checks of files and folders are made too.
        valid: A configuration without problems. From it a second look takes what the first found wrong, to
            see combinations that cannot be checked while one of their parts is not valid.
    """
    plain, unresolved = _resolve(config)
    errors = _errors(plain, schema)
    problems = [_explain(schema, error) for error in errors]
    if errors and valid is not None:
        locations = [_without_tags(schema, error["loc"]) for error in errors]
        for location in locations:
            _mend(plain, location, valid)
        mended = {str(location[-1]) for location in locations if location}
        problems += [
            _explain(schema, error)
            for error in _errors(plain, schema)
            if error["type"] == "value_error" and not any(name in error["msg"] for name in mended)
        ]
    told = {problem.key for problem in unresolved}
    return unresolved + [problem for problem in _distinct(problems) if problem.key not in told]


def plain_values(config: DictConfig) -> dict[str, Any]:
    """The configuration as nested dicts, interpolations resolved."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return cast(dict[str, Any], plain)


def flatten(section: Mapping[str, Any]) -> dict[str, Any]:
    """The values of nested sections by key with dots.

    Example:
        >>> flatten({"model": {"metric": {"rank": 4}}, "seed": 0})
        {'model.metric.rank': 4, 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for name, value in section.items():
        inner = flatten(value) if isinstance(value, Mapping) else {"": value}
        flat |= {f"{name}.{key}".rstrip("."): leaf for key, leaf in inner.items()}
    return flat


def sections_of(annotation: Any) -> list[type[BaseModel]]:
    """The sections that an annotation allows: none for a plain value, several for a tagged union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is Literal:
        return []
    arguments = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [section for argument in arguments for section in sections_of(argument)]


def tags_of(section: type[BaseModel]) -> set[str]:
    """The values of the keys of a section that can have but one: what tells it from others of its union."""
    fields = (field.annotation for field in section.model_fields.values())
    return {
        get_args(annotation)[0]
        for annotation in fields
        if get_origin(annotation) is Literal and len(get_args(annotation)) == 1
    }


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    """Each once; of what is wrong with a whole section the first: several sections may read one file."""
    distinct: dict[str, Problem] = {}
    for problem in problems:
        is_of_section = problem.value is NO_VALUE and problem.explanation != _MUST_BE_GIVEN
        distinct.setdefault(problem.explanation if is_of_section else str(problem), problem)
    return list(distinct.values())


def _errors(plain: dict[str, Any], schema: type[BaseModel], check_files: bool = True) -> list[ErrorDetails]:
    try:
        schema.model_validate(plain, context={"check_files": check_files})
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _resolve(config: DictConfig) -> tuple[dict[str, Any], list[Problem]]:
    """Plain values, null in place of what is missing or refers to nothing, and the problems of those."""
    config = copy.deepcopy(config)
    OmegaConf.set_struct(config, False)
    problems = []
    for key, text in _interpolations(OmegaConf.to_container(config), ""):
        try:
            OmegaConf.select(config, key, throw_on_resolution_failure=True)
        except OmegaConfBaseException as error:
            problems.append(Problem(key, str(error).splitlines()[0], text))
            OmegaConf.update(config, key, None)
    for key in sorted(OmegaConf.missing_keys(config)):
        problems.append(Problem(key, _MUST_BE_GIVEN))
        OmegaConf.update(config, key, None)
    return plain_values(config), problems


def _interpolations(section: object, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(section, Mapping):
        for key, value in section.items():
            yield from _interpolations(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(section, str) and "${" in section:
        yield prefix, section


def _explain(schema: type[BaseModel], error: ErrorDetails) -> Problem:
    """An error of pydantic in the words of a configuration file."""
    location, context = _without_tags(schema, error["loc"]), error.get("ctx", {})
    key, value = ".".join(map(str, location)), error["input"]
    match error["type"]:
        case "missing":
            return Problem(key, _MUST_BE_GIVEN)
        case "extra_forbidden":
            return Problem(
                key, _suggest(schema, _section_at(schema, error["loc"][:-1]), str(location[-1])), value, True
            )
        case "union_tag_not_found" | "union_tag_invalid":
            tag = str(context["discriminator"]).strip("'")
            allowed = context.get("expected_tags") or _tags_at(schema, error["loc"])
            given = value.get(tag) if isinstance(value, Mapping) else value
            return Problem(f"{key}.{tag}", f"must be one of {str(allowed).replace(chr(39), '')}", given)
        case "model_type" | "model_attributes_type" | "dict_type":
            names = _section_at(schema, error["loc"]).model_fields
            return Problem(key, f"must be a section with {', '.join(names)}", value)
        case "value_error" if isinstance(value, Mapping):
            return Problem(key, str(context["error"]))
        case "value_error":
            return Problem(key, str(context["error"]), value)
        case _:
            allowed = error["msg"].replace("Input should", "must")
            return Problem(key, allowed.replace("a valid boolean", "true or false"), value)


def _suggest(schema: type[BaseModel], section: type[BaseModel], name: str) -> str:
    names = list(section.model_fields)
    elsewhere = (key for key in _keys(schema) if key.rpartition(".")[2] == name)
    near = difflib.get_close_matches(name, names, n=1) or list(itertools.islice(elsewhere, 1))
    question = f"; did you mean {near[0]}?" if near else ";"
    return f"there is no such key{question} Allowed here: {', '.join(names)}"


def _keys(schema: type[BaseModel]) -> Iterator[str]:
    """Every key of a schema with dots, outer keys first."""
    pending = [("", schema)]
    while pending:
        prefix, section = pending.pop(0)
        for name, field in section.model_fields.items():
            yield f"{prefix}{name}"
            pending += [(f"{prefix}{name}.", inner) for inner in sections_of(field.annotation)]


def _tags_at(schema: type[BaseModel], location: Location) -> str:
    field = _section_at(schema, location[:-1]).model_fields[str(location[-1])]
    return ", ".join(sorted(tag for section in sections_of(field.annotation) for tag in tags_of(section)))


def _section_at(schema: type[BaseModel], location: Location) -> type[BaseModel]:
    """The section that a location of pydantic's leads to; of a union without tag its first."""
    sections = [schema]
    for part in location:
        tagged = [section for section in sections if len(sections) > 1 and part in tags_of(section)]
        if tagged:
            sections = tagged
        elif field := sections[0].model_fields.get(str(part)):
            sections = sections_of(field.annotation) or sections
    return sections[0]


def _without_tags(schema: type[BaseModel], location: Location) -> Location:
    """The location as a configuration has it: pydantic adds the tag of the member of a union."""
    kept: list[int | str] = []
    sections = [schema]
    for part in location:
        tagged = [section for section in sections if len(sections) > 1 and part in tags_of(section)]
        if tagged:
            sections = tagged
            continue
        kept.append(part)
        fields = (section.model_fields.get(str(part)) for section in sections)
        sections = [section for field in fields if field for section in sections_of(field.annotation)]
    return tuple(kept)


def _mend(plain: dict[str, Any], location: Location, valid: Mapping[str, Any]) -> None:
    """Take the value at a location from a valid configuration, or remove what that does not have."""
    if not location:
        return
    inner: Any = plain
    for part in location[:-1]:
        inner = inner[part]
        valid = valid.get(str(part), {})
    last = location[-1]
    if last in valid:
        inner[last] = valid[str(last)]
    elif isinstance(inner, dict):
        inner.pop(last, None)


def _show(value: object) -> str:
    """As YAML would have it."""
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
