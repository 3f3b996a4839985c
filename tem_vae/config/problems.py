"""What is wrong with a configuration: every problem with its key, its value and what is allowed."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from tem_vae.config.fields import Location, Section, choose, flatten, keys_of, look_up, tag_of, without_tags
from tem_vae.config.plugins import CONTEXT_KEY
from tem_vae.errors import ConfigurationError

Config = TypeVar("Config", bound=Section)
Values = DictConfig | Mapping[str, Any]

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
        as_text = json.dumps(self.value, default=str, ensure_ascii=False)
        given = f" = {self.value if isinstance(self.value, str) else as_text}"
        given = "" if self.value is NO_VALUE else given
        return f"  {self.key}{given}: {self.explanation}" if self.key else f"  {self.explanation}"


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise one `ConfigurationError` that names all problems: one a key, one a text about whole sections."""
    lines: dict[str, str] = {}
    for problem in problems:
        is_of_section = problem.value is NO_VALUE and problem.explanation != _MUST_BE_GIVEN
        lines.setdefault(problem.explanation if is_of_section else problem.key, str(problem))
    if lines:
        count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
        raise ConfigurationError("\n".join([f"The configuration has {count}:", *lines.values()]))


def validate(config: Values, schema: type[Config], given: Iterable[str] = ()) -> Config:
    """A configuration with types, or a `ConfigurationError` that names every problem; see `examine`."""
    checked, problems = examine(config, schema, given)
    raise_problems(problems)
    return cast(Config, checked)


def examine(
    config: Values, schema: type[Config], given: Iterable[str] = ()
) -> tuple[Config | None, list[Problem]]:
    """Check a configuration, its files and folders too, and give it types.

    Args:
        config: As composed, or plain values.
        schema: What it is checked against.
        given: The keys that the user gave, with dots.
    """
    values, problems = _resolve(config) if isinstance(config, DictConfig) else (config, [])
    problems += [problem for key in given for problem in _of_other_kinds(schema, values, key)]
    context = {"check_files": True, CONTEXT_KEY: values.get(CONTEXT_KEY)}
    try:
        return schema.model_validate(values, context=context), problems
    except ValidationError as error:
        return None, problems + [_explain(schema, values, e) for e in error.errors(include_url=False)]


def _of_other_kinds(schema: type[Section], values: Mapping[str, Any], key: str) -> Iterator[Problem]:
    """A given key that lies in a section of another kind: `OneKind` would leave it out in silence."""
    location = tuple(key.split("."))
    for depth, name in enumerate(location):
        sections, inner = look_up(schema, values, location[:depth])
        section = choose(sections, inner)
        if section and name not in section.model_fields and _kinds_with(name, sections):
            given = look_up(schema, values, location)[1]
            yield Problem(key, _suggest(schema, values, location[: depth + 1]), given, misspelt=True)
            return


def _resolve(config: DictConfig) -> tuple[dict[str, Any], list[Problem]]:
    """Plain values without Hydra's own; null and a problem where one is missing or refers to nothing."""
    config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    OmegaConf.set_struct(config, False)
    problems = []
    for key, value in flatten(cast(dict[str, Any], OmegaConf.to_container(config))).items():
        try:
            OmegaConf.select(config, key, throw_on_resolution_failure=True, throw_on_missing=True)
        except OmegaConfBaseException as error:
            is_missing, reason = isinstance(error, MissingMandatoryValue), str(error).splitlines()[0]
            problems.append(Problem(key, _MUST_BE_GIVEN) if is_missing else Problem(key, reason, value))
            OmegaConf.update(config, key, None)
    return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True)), problems


def _explain(schema: type[Section], values: Mapping[str, Any], error: ErrorDetails) -> Problem:
    """An error of pydantic in the words of a configuration file."""
    location, value = without_tags(error["loc"], values), error["input"]
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
            return Problem(
                f"{key}.{tag}",
                f"must be one of {kinds}",
                value.get(tag) if isinstance(value, dict) else value,
            )
        case "model_type" | "model_attributes_type" | "dict_type" if sections:
            names = dict.fromkeys(name for section in sections for name in section.model_fields)
            group = f"to choose a file of conf/, write {key.replace('.', '/')}=NAME"
            return Problem(key, f"must be a section with {', '.join(names)}; {group}", value)
        case "value_error":
            return Problem(key, str(context["error"]), NO_VALUE if isinstance(value, Mapping) else value)
        case _:
            allowed = error["msg"].replace("Input should", "must")
            return Problem(key, allowed.replace("a valid boolean", "true or false"), value)


def _suggest(schema: type[Section], values: Mapping[str, Any], location: Location) -> str:
    sections, inner = look_up(schema, values, location[:-1])
    section, name = choose(sections, inner), str(location[-1])
    if section is None:
        return "there is no such key"
    names = list(section.model_fields)
    elsewhere = (key for key in keys_of(schema) if key.rpartition(".")[2] == name)
    if name in section.renamed:
        return f"is now {'.'.join([*map(str, location[:-1]), section.renamed[name]])}"
    if kinds := _kinds_with(name, sections):
        which = f"{' = '.join(tag_of(section))} has no {name}, only {', '.join(kinds)}"
        return f"{which}. Allowed here: {', '.join(names)}"
    near = next(iter(difflib.get_close_matches(name, names, n=1)), None) or next(elsewhere, None)
    return f"there is no such key; {f'did you mean {near}? ' if near else ''}Allowed here: {', '.join(names)}"


def _kinds_with(name: object, sections: Iterable[type[Section]]) -> list[str]:
    having = [section for section in sections if name in section.model_fields]
    return [f"{tag_of(s)[1]}{f', which {s.chosen_by} chooses' if s.chosen_by else ''}" for s in having]
