"""What is wrong with a configuration: every problem with its key, its value and what is allowed."""

import copy
import difflib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tem_vae.config.fields import Location, Section, choose, flatten, keys_of, look_up, tag_of
from tem_vae.errors import ConfigurationError

Config = TypeVar("Config", bound=Section)

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
        given = "" if self.value is NO_VALUE else f" = {_as_yaml(self.value)}"
        return f"  {self.key}{given}: {self.explanation}" if self.key else f"  {self.explanation}"


def raise_problems(problems: Sequence[Problem]) -> None:
    """Name all problems in one message.

    Raises:
        ConfigurationError: There are any.
    """
    if lines := dict.fromkeys(map(str, problems)):
        count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        raise ConfigurationError("\n".join([f"The configuration has {count}:", *lines]))


def validate(
    config: DictConfig | Mapping[str, Any],
    schema: type[Config],
    given: Iterable[str] = (),
    check_files: bool = True,
) -> Config:
    """Check a configuration and give it types.

    Args:
        config: As composed, or plain values.
        schema: What it is checked against.
        given: The keys that the user gave, with dots.
        check_files: Whether files and folders are looked at.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    checked, problems = examine(config, schema, given, check_files)
    raise_problems(problems)
    return cast(Config, checked)


def examine(
    config: DictConfig | Mapping[str, Any],
    schema: type[Config],
    given: Iterable[str] = (),
    check_files: bool = True,
) -> tuple[Config | None, list[Problem]]:
    """What `validate` returns, and every problem that it names."""
    values, problems = _resolve(config) if isinstance(config, DictConfig) else (config, [])
    problems += _of_other_kinds(schema, values, given)
    try:
        return schema.model_validate(values, context={"check_files": check_files}), _distinct(problems)
    except ValidationError as error:
        problems += (_explain(schema, values, details) for details in error.errors(include_url=False))
        return None, _distinct(problems)


def _distinct(problems: Iterable[Problem]) -> list[Problem]:
    """One problem a key, and one a text where it is about a whole section: several may read one file."""
    distinct: dict[str, Problem] = {}
    for problem in problems:
        is_of_section = problem.value is NO_VALUE and problem.explanation != _MUST_BE_GIVEN
        distinct.setdefault(problem.explanation if is_of_section else problem.key, problem)
    return list(distinct.values())


def _resolve(config: DictConfig) -> tuple[dict[str, Any], list[Problem]]:
    """Plain values, null in place of what is missing or refers to nothing, and the problems of those."""
    config = copy.deepcopy(config)
    OmegaConf.set_struct(config, False)
    problems = []
    for key, value in flatten(cast(dict[str, Any], OmegaConf.to_container(config))).items():
        try:
            OmegaConf.select(config, key, throw_on_resolution_failure=True, throw_on_missing=True)
        except MissingMandatoryValue:
            problems.append(Problem(key, _MUST_BE_GIVEN))
            OmegaConf.update(config, key, None)
        except OmegaConfBaseException as error:
            problems.append(Problem(key, str(error).splitlines()[0], value))
            OmegaConf.update(config, key, None)
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), problems


def _of_other_kinds(
    schema: type[Section], values: Mapping[str, Any], given: Iterable[str]
) -> Iterator[Problem]:
    """Keys that the user gave and that only other kinds of the section have; `OneKind` leaves them out."""
    for key in given:
        *path, name = key.split(".")
        sections, inner = look_up(schema, values, path)
        section = choose(sections, inner)
        having = [tag_of(other)[1] for other in sections if name in other.model_fields]
        if section and having and name not in section.model_fields:
            explanation = f"{tag_of(section)[1]} has no {name}, only {', '.join(having)}"
            allowed = f". Allowed here: {', '.join(section.model_fields)}"
            yield Problem(key, explanation + allowed, cast(Any, inner).get(name), misspelt=True)


def _explain(schema: type[Section], values: Mapping[str, Any], error: ErrorDetails) -> Problem:
    """An error of pydantic in the words of a configuration file."""
    location, value = _without_tags(error["loc"], values), error["input"]
    key, context = ".".join(map(str, location)), error.get("ctx", {})
    sections = look_up(schema, values, location)[0]
    match error["type"]:
        case "missing":
            return Problem(key, _MUST_BE_GIVEN)
        case "extra_forbidden":
            return Problem(key, _suggest(schema, values, location), value, misspelt=True)
        case "union_tag_not_found" | "union_tag_invalid":
            tag = str(context["discriminator"]).strip("'")
            kinds = ", ".join(tag_of(section)[1] for section in sections)
            given = value.get(tag) if isinstance(value, Mapping) else value
            return Problem(f"{key}.{tag}", f"must be one of {kinds}", given)
        case "model_type" | "model_attributes_type" | "dict_type":
            names = dict.fromkeys(name for section in sections for name in section.model_fields)
            return Problem(key, f"must be a section with {', '.join(names)}", value)
        case "value_error":
            return Problem(key, str(context["error"]), NO_VALUE if isinstance(value, Mapping) else value)
        case _:
            allowed = error["msg"].replace("Input should", "must")
            return Problem(key, allowed.replace("a valid boolean", "true or false"), value)


def _suggest(schema: type[Section], values: Mapping[str, Any], location: Location) -> str:
    section = choose(*look_up(schema, values, location[:-1]))
    if section is None:
        return "there is no such key"
    name, names = str(location[-1]), list(section.model_fields)
    if name in section.renamed:
        return f"is now {'.'.join(map(str, location[:-1]))}.{section.renamed[name]}"
    elsewhere = (key for key in keys_of(schema) if key.rpartition(".")[2] == name)
    near = difflib.get_close_matches(name, names, n=1) or list(itertools.islice(elsewhere, 1))
    question = f"; did you mean {near[0]}?" if near else ";"
    return f"there is no such key{question} Allowed here: {', '.join(names)}"


def _without_tags(location: Location, values: object) -> Location:
    """The location as a configuration has it: behind a section of several kinds pydantic puts its kind."""
    kept: list[int | str] = []
    may_be_tag = False
    for part in location:
        if may_be_tag and isinstance(values, Mapping) and part in (values.get("kind"), values.get("source")):
            may_be_tag = False
            continue
        kept.append(part)
        may_be_tag = True
        values = values.get(part) if isinstance(values, Mapping) else None
    return tuple(kept)


def _as_yaml(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
