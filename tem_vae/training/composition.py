"""The command line checked as a whole: all that is wrong is told at once, before anything is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel

from tem_vae.training.schema import NO_VALUE, Problem, find_problems, plain_values, raise_problems

CONF = Path(__file__).parents[2] / "conf"

# Of Hydra: with these it composes something else, or nothing.
_OTHER_USES = (
    "help",
    "hydra_help",
    "info",
    "shell_completion",
    "config_path",
    "config_name",
    "experimental_rerun",
)


def check_command_line(arguments: Sequence[str], config_name: str, schema: type[BaseModel]) -> None:
    """Check all overrides and the configuration that they amount to.

    Hydra alone would stop at the first. Of a multirun only keys and names are checked: values are checked job
    by job, so that one bad job does not keep the others from running.

    Args:
        arguments: The command line.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is held against.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    options = get_args_parser().parse_args(list(arguments))
    if any(getattr(options, use) for use in _OTHER_USES):
        return
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composition = _Composition(config_name, schema, options.multirun)
        if options.config_dir:
            composition.groups.append(f"hydra.searchpath=[file://{Path(options.config_dir).absolute()}]")
        for text in options.overrides:
            composition.take(text)
        problems = composition.problems()
    raise_problems([p for p in problems if p.misspelt or not options.multirun])


class _Composition:
    """A configuration composed override by override, so that each can be told what is wrong with it."""

    def __init__(self, config_name: str, schema: type[BaseModel], multirun: bool) -> None:
        self.config_name = config_name
        self.schema = schema
        self.multirun = multirun
        self.groups: list[str] = []
        self.values: list[tuple[str, Any]] = []
        self.found: list[Problem] = []
        self.loader: ConfigLoader = GlobalHydra.instance().config_loader()

    def take(self, text: str) -> None:
        """Take in one override, or note what is wrong with it."""
        try:
            override = OverridesParser.create(self.loader).parse_override(text)
        except HydraException:
            self._note(
                text, "cannot be read as an override; write key=value, and quote what has spaces or ,:=[]{}"
            )
            return
        key = override.key_or_group
        if key.split(".")[0].split("/")[0] == "hydra":
            self.groups.append(text)
        elif override.is_sweep_override() and not self.multirun:
            self._note(key, "several values need --multirun; a list is written [a,b]", _value_text(override))
        elif choices := self._choices(key):
            self._take_group(override, choices)
        elif "/" in key:
            self._note(key, "there is no such group", _value_text(override))
        elif override.is_delete():
            self.groups.append(text)
        else:
            self.values.append((key, _first_value(override)))

    def problems(self) -> list[Problem]:
        """Everything that is wrong."""
        valid = plain_values(compose(self.config_name))
        try:
            config = compose(self.config_name, overrides=self.groups)
        except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
            self._note("", str(error))
            config = compose(self.config_name)
        OmegaConf.set_struct(config, False)
        for key, value in self.values:
            self._set(config, key, value)
        return self.found + find_problems(config, self.schema, valid)

    def _take_group(self, override: Override, choices: list[str]) -> None:
        swept = override.is_sweep_override()
        value = list(override.sweep_string_iterator()) if swept else override.value()
        names = value if isinstance(value, list) else [value]
        unknown = [name for name in names if name is not None and name not in choices]
        for name in unknown:
            self._note(override.key_or_group, f"must be one of {', '.join(choices)}", name)
        if not unknown:
            name = names[0] if swept else override.get_value_element_as_str()
            self.groups.append(f"{override.get_key_element()}={name}")

    def _choices(self, group: str) -> list[str]:
        """What there is of a group, with its folders where these are no groups of their own."""
        searched = [override for override in self.groups if override.startswith("hydra.searchpath=")]
        found = self.loader.get_group_options(group, ObjectType.CONFIG, self.config_name, searched)
        if group in self.schema.model_fields:
            return found
        folders = self.loader.get_group_options(group, ObjectType.GROUP, self.config_name, searched)
        return found + [
            f"{folder}/{name}" for folder in folders for name in self._choices(f"{group}/{folder}")
        ]

    def _set(self, config: DictConfig, key: str, value: object) -> None:
        try:
            OmegaConf.update(config, key, value, merge=True, force_add=True)
        except (OmegaConfBaseException, TypeError, ValueError):
            parent = key.rpartition(".")[0]
            self._note(key, f"there is no such key; {parent} is no section", value)

    def _note(self, key: str, explanation: str, value: object = NO_VALUE) -> None:
        self.found.append(Problem(key, explanation, value, misspelt=True))


def _first_value(override: Override) -> Any:
    if override.is_sweep_override():
        text = next(override.sweep_string_iterator())
        return OverridesParser.create().parse_override(f"{override.key_or_group}={text}").value()
    return override.value()


def _value_text(override: Override) -> str:
    return (override.input_line or "").partition("=")[2]
