"""The command line becomes one checked configuration, or one message that names all that is wrong with it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose
from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tem_vae.config.fields import Section
from tem_vae.config.problems import Config, Problem, examine, raise_problems, validate
from tem_vae.errors import ConfigurationError

Names = Sequence[str]

CONF = Path(__file__).parents[2] / "conf"
NOT_COMPOSABLE = (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError)
_UNREADABLE = "cannot be read as an override; write key=value, and quote what has spaces, quotes or ,:=[]{}"
_SEVERAL = "several values need --multirun; a list is written [a,b]"


def read_run(overrides: Names, config_name: str, schema: type[Config]) -> tuple[DictConfig, Config]:
    """The configuration of a single run, composed once and checked once.

    Args:
        overrides: The command line without Hydra's options.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is checked against.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    try:
        composed = compose(config_name, list(overrides), return_hydra_config=True)
        raise_problems(unknown_choices(composed.hydra, schema))
        if "hydra.run.dir" in keys_of_overrides(overrides) and composed.run_dir is None:
            composed.run_dir = composed.hydra.run.dir
        return composed, validate(composed, schema, keys_of_overrides(overrides))
    except NOT_COMPOSABLE as error:
        raise_problems(find_all(overrides, config_name, schema))
        raise ConfigurationError(str(error)) from None


def keys_of_overrides(overrides: Iterable[str]) -> list[str]:
    """The keys that overrides set."""
    return [override.partition("=")[0].lstrip("+~") for override in overrides]


def unknown_choices(hydra: DictConfig | HydraConf, schema: type[Section]) -> Iterator[Problem]:
    """Chosen files that are not there, found in Hydra's own part of what it composed: it leaves them out."""
    for group, chosen in hydra.runtime.choices.items():
        names = [chosen] if isinstance(chosen, str) else chosen or []
        if group.split("/")[0] != "hydra":
            yield from _unknown(group, names, schema, hydra.overrides.hydra)


def _unknown(group: str, names: Names, schema: type[Section], overrides: Names) -> list[Problem]:
    known = options_of(group, schema, overrides)
    why = f"must be one of {', '.join(known)}"
    return [Problem(group, why, name, misspelt=True) for name in names if name not in known]


def options_of(group: str, schema: type[Section], overrides: Names) -> list[str]:
    """What there is to choose, also in folders that are no groups of their own; nothing if it is no group."""
    searched = [text for text in overrides if text.startswith("hydra.searchpath=")]
    options = GlobalHydra.instance().config_loader().get_group_options
    folders = [] if group in schema.model_fields else options(group, ObjectType.GROUP, overrides=searched)
    return options(group, ObjectType.CONFIG, overrides=searched) + [
        f"{folder}/{name}" for folder in folders for name in options_of(f"{group}/{folder}", schema, searched)
    ]


def parse(text: str) -> Override | None:
    """An override as Hydra reads it; None where it cannot."""
    try:
        return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_override(text)
    except HydraException:
        return None


def find_all(overrides: Names, config_name: str, schema: type[Section]) -> list[Problem]:
    """All that is wrong with the command line of one run; Hydra itself would stop at the first.

    Here it composes choices only. Values are set behind it one by one, whether or not there is such a key.
    """
    problems: list[Problem] = []
    choices: list[str] = []
    values: dict[str, Any] = {}
    for text in overrides:
        override, value = parse(text), text.partition("=")[2]
        key = override.key_or_group if override else text
        if override is None:
            problems.append(Problem(key, _UNREADABLE, misspelt=True))
        elif override.is_delete() or re.match(r"hydra\b", key):
            choices.append(text)
        elif override.is_sweep_override():
            problems.append(Problem(key, _SEVERAL, value, misspelt=True))
        elif options_of(key, schema, overrides):
            names: Any = override.value() if isinstance(override.value(), list) else [value]
            problems += (unknown := _unknown(key, names, schema, overrides))
            choices += [] if unknown else [text]
        elif "/" in key:
            problems.append(Problem(key, "there is no such group", value, misspelt=True))
        else:
            values[key] = override.value()
    try:
        base = compose(config_name, choices, return_hydra_config=True)
        problems += unknown_choices(base.hydra, schema)
    except NOT_COMPOSABLE as error:
        problems.append(Problem("", str(error), misspelt=True))
        base = compose(config_name, return_hydra_config=True)
    return problems + _find_in_values(base, values, schema)


def _find_in_values(base: DictConfig, values: Mapping[str, Any], schema: type[Section]) -> list[Problem]:
    """What is wrong with values, and then with what is left of them.

    Pydantic checks no combination while a part of it is wrong; what names a value left out does not count.
    """
    config, problems = base.copy(), []
    OmegaConf.set_struct(config, False)
    for key, value in values.items():
        try:
            OmegaConf.update(config, key, value, merge=True, force_add=True)
        except (OmegaConfBaseException, TypeError, ValueError):
            why = f"there is no such key; {key.rpartition('.')[0]} is no section"
            problems.append(Problem(key, why, value, misspelt=True))
    problems += examine(config, schema, values)[1]
    wrong = {key for key in values for p in problems if f"{p.key}.".startswith(f"{key}.")}
    rest = {key: value for key, value in values.items() if key not in wrong}
    left = _find_in_values(base, rest, schema) if wrong else []
    names = [key.rpartition(".")[2] for key in wrong]
    return problems + [problem for problem in left if not any(name in str(problem) for name in names)]
