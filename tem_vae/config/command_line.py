"""The command line becomes one checked configuration, or one message that names all that is wrong with it."""

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose
from hydra._internal.utils import get_args_parser
from hydra.conf import HydraConf
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tem_vae.config.fields import Section
from tem_vae.config.problems import Config, Problem, examine, raise_problems, validate
from tem_vae.errors import ConfigurationError

CONF = Path(__file__).parents[2] / "conf"

_NOT_COMPOSABLE = (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError)
_UNREADABLE = "cannot be read as an override; write key=value, and quote what has spaces or ,:=[]{}"
_SEVERAL = "several values need --multirun; a list is written [a,b]"


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Hydra's options and the overrides; a folder of the user's own configurations is one of these.

    Raises:
        ConfigurationError: There is no such folder.
    """
    options = get_args_parser().parse_args(arguments)
    if options.config_dir:
        if not Path(options.config_dir).is_dir():
            raise ConfigurationError(f"--config-dir {options.config_dir}: there is no such folder")
        options.overrides.append(f"hydra.searchpath=[file://{Path(options.config_dir).absolute()}]")
    return options


def read_run(overrides: Sequence[str], config_name: str, schema: type[Config]) -> tuple[DictConfig, Config]:
    """The configuration of a single run: composed once by Hydra, checked once.

    Args:
        overrides: The command line without Hydra's options.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is checked against.

    Returns:
        What Hydra composed, its own part included, and the checked configuration.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    try:
        composed = compose(config_name, list(overrides), return_hydra_config=True)
        raise_problems(list(unknown_choices(composed.hydra, schema)))
        return composed, validate(without_hydra(composed), schema, keys_of_overrides(overrides))
    except _NOT_COMPOSABLE as error:
        raise_problems(_find_all(overrides, config_name, schema))
        raise ConfigurationError(str(error)) from None


def check_sweep(overrides: Sequence[str], config_name: str, schema: type[Section]) -> None:
    """Check what would keep all jobs of a sweep from running; anything else is checked job by job.

    That is a key that there is not, a group of which no choice is there, and a choice that Hydra cannot
    compose a job with: it composes all jobs before it starts the first.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    problems: list[Problem] = []
    unknown: list[list[Problem]] = []
    for job in _jobs_to_try(overrides, schema):
        try:
            composed = compose(config_name, job, return_hydra_config=True)
            unknown.append(list(unknown_choices(composed.hydra, schema)))
            problems += examine(without_hydra(composed), schema)[1]
        except _NOT_COMPOSABLE as error:
            found = [problem for problem in _find_all(job, config_name, schema) if problem.misspelt]
            problems += found or [Problem("", str(error), misspelt=True)]
    in_every_job = set.intersection(*({problem.key for problem in found} for found in unknown or [[]]))
    problems += [problem for found in unknown for problem in found if problem.key in in_every_job]
    raise_problems([problem for problem in problems if problem.misspelt])


def _jobs_to_try(overrides: Sequence[str], schema: type[Section]) -> Iterator[list[str]]:
    """The first job of a sweep, and the same with each other choice of the groups that it sweeps."""
    swept = []
    for text in overrides:
        override = _parse(text)
        if override is None or not override.is_sweep_override():
            swept.append([text])
        elif isinstance(interval := override.value(), IntervalSweep):
            swept.append([f"{override.get_key_element()}={interval.start}"])
        else:
            values = [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
            swept.append(values if _options(override.key_or_group, schema, overrides) else values[:1])
    first = [values[0] for values in swept]
    yield first
    for at, values in enumerate(swept):
        yield from ([*first[:at], other, *first[at + 1 :]] for other in values[1:])


def keys_of_overrides(overrides: Iterable[str]) -> list[str]:
    """The keys that overrides set."""
    return [override.partition("=")[0].lstrip("+~") for override in overrides]


def without_hydra(composed: DictConfig) -> DictConfig:
    """What Hydra composed, less its own part."""
    return OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])


def unknown_choices(hydra: DictConfig | HydraConf, schema: type[Section]) -> Iterator[Problem]:
    """What a job was to be composed of and is not there; Hydra leaves it out, since groups are optional.

    Args:
        hydra: Hydra's own part of what it composed.
        schema: What the configuration is checked against.
    """
    for group, chosen in hydra.runtime.choices.items():
        if chosen is not None and group.split("/")[0] != "hydra":
            yield from _unknown(
                group, [chosen] if isinstance(chosen, str) else chosen, schema, hydra.overrides.hydra
            )


def _unknown(
    group: str, names: Iterable[str], schema: type[Section], overrides: Sequence[str]
) -> Iterator[Problem]:
    known = _options(group, schema, overrides)
    for name in names:
        if name not in known:
            yield Problem(group, f"must be one of {', '.join(known)}", name, misspelt=True)


def _options(group: str, schema: type[Section], overrides: Sequence[str]) -> list[str]:
    """What there is to choose, also in folders that are no groups of their own; nothing if it is no group."""
    searched = [text for text in overrides if text.startswith("hydra.searchpath=")]
    options = GlobalHydra.instance().config_loader().get_group_options
    folders = [] if group in schema.model_fields else options(group, ObjectType.GROUP, overrides=searched)
    return options(group, ObjectType.CONFIG, overrides=searched) + [
        f"{folder}/{name}" for folder in folders for name in _options(f"{group}/{folder}", schema, searched)
    ]


def _parse(text: str) -> Override | None:
    try:
        return OverridesParser.create(GlobalHydra.instance().config_loader()).parse_override(text)
    except HydraException:
        return None


def _find_all(overrides: Sequence[str], config_name: str, schema: type[Section]) -> list[Problem]:
    """All that is wrong with the command line of one run; Hydra itself would stop at the first.

    Here it composes choices only. Values are set behind it one by one, whether or not there is such a key.
    """
    problems: list[Problem] = []
    choices: list[str] = []
    values: dict[str, Any] = {}
    for text in overrides:
        override, value = _parse(text), text.partition("=")[2]
        key = override.key_or_group if override else text
        if override is None:
            problems.append(Problem(key, _UNREADABLE, misspelt=True))
        elif override.is_delete() or re.match(r"hydra\b", key):
            choices.append(text)
        elif override.is_sweep_override():
            problems.append(Problem(key, _SEVERAL, value, misspelt=True))
        elif _options(key, schema, overrides):
            chosen: Any = override.value()
            names = chosen if isinstance(chosen, list) else [value]
            unknown = list(_unknown(key, names, schema, overrides))
            problems += unknown
            choices += [] if unknown else [text]
        elif "/" in key:
            problems.append(Problem(key, "there is no such group", value, misspelt=True))
        else:
            values[key] = override.value()
    try:
        base = compose(config_name, choices, return_hydra_config=True)
        problems += unknown_choices(base.hydra, schema)
    except _NOT_COMPOSABLE as error:
        problems.append(Problem("", str(error), misspelt=True))
        base = compose(config_name, return_hydra_config=True)
    return problems + _find_in_values(without_hydra(base), values, schema)


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
            explanation = f"there is no such key; {key.rpartition('.')[0]} is no section"
            problems.append(Problem(key, explanation, value, misspelt=True))
    problems += examine(config, schema, values)[1]
    wrong = {key for key in values for p in problems if f"{p.key}.".startswith(f"{key}.")}
    if not wrong:
        return problems
    left = _find_in_values(base, {key: value for key, value in values.items() if key not in wrong}, schema)
    names = [key.rpartition(".")[2] for key in wrong]
    return problems + [problem for problem in left if not any(name in str(problem) for name in names)]
