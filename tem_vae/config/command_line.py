"""The command line checked as a whole: all that is wrong is told at once, before anything is written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel

from tem_vae.config.choices import Choices
from tem_vae.config.problems import NO_VALUE, Problem, find_problems, plain_values, raise_problems

CONF = Path(__file__).parents[2] / "conf"

_NOT_COMPOSABLE = (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError)

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

    Hydra alone would stop at the first. Of a multirun only keys are checked, and choices that Hydra cannot
    compose any job with: the others and values are checked job by job, so that one bad job does not keep the
    others from running.

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


class _Trial(NamedTuple):
    """Another choice of a sweep than the first, to be tried instead of it; the problem if it is unknown."""

    first: str
    instead: str
    unknown: Problem | None = None


class _Composition:
    """A configuration composed override by override, so that each can be told what is wrong with it."""

    def __init__(self, config_name: str, schema: type[BaseModel], multirun: bool) -> None:
        self.config_name = config_name
        self.schema = schema
        self.multirun = multirun
        self.groups: list[str] = []
        self.values: list[tuple[str, Any]] = []
        self.found: list[Problem] = []
        self.trials: list[_Trial] = []
        self.values_as_given: list[str] = []
        self.loader = GlobalHydra.instance().config_loader()

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
        if key.split(".")[0].split("/")[0] == "hydra" or override.is_delete():
            self.groups.append(text)
        elif override.is_sweep_override() and not self.multirun:
            self._note(key, "several values need --multirun; a list is written [a,b]", _value_text(override))
        elif self._choices().of(key):
            self._take_group(override)
        elif "/" in key:
            self._note(key, "there is no such group", _value_text(override))
        else:
            self.values.append((key, _first_value(override)))
            self.values_as_given.append(_first_text(override))

    def problems(self) -> list[Problem]:
        """Everything that is wrong."""
        valid = plain_values(compose(self.config_name))
        config = self._compose()
        OmegaConf.set_struct(config, False)
        for key, value in self.values:
            self._set(config, key, value)
        found = self.found + find_problems(config, self.schema, valid)
        if any(problem.misspelt for problem in found):
            return found + [trial.unknown for trial in self.trials if trial.unknown]
        return found + list(self._not_composable())

    def _take_group(self, override: Override) -> None:
        group, key = override.key_or_group, override.get_key_element()
        if not override.is_sweep_override():
            given = override.value()
            unknown = list(self._choices().unknown({group: "null" if given is None else given}))
            self.found += unknown
            if not unknown:
                self.groups.append(f"{key}={override.get_value_element_as_str()}")
            return
        names = list(override.sweep_string_iterator())
        unknown = list(self._choices().unknown({group: names}))
        if known := [name for name in names if name not in {problem.value for problem in unknown}]:
            first = f"{key}={known[0]}"
            self.groups.append(first)
            self.trials += [_Trial(first, f"{key}={name}") for name in known[1:]]
            self.trials += [_Trial(first, f"{key}={problem.value}", problem) for problem in unknown]
        else:
            self.found += unknown

    def _choices(self) -> Choices:
        return Choices(self.config_name, self.schema, self.groups)

    def _compose(self) -> DictConfig:
        """What the groups amount to; where that is nothing, the defaults."""
        try:
            config = compose(self.config_name, overrides=self.groups, return_hydra_config=True)
        except _NOT_COMPOSABLE as error:
            self._note("", str(error))
            return compose(self.config_name)
        chosen: Any = OmegaConf.to_container(config.hydra.runtime.choices)
        self.found += self._choices().unknown(chosen)
        return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])

    def _not_composable(self) -> Iterator[Problem]:
        """Choices of a sweep that keep all of it from starting.

        Hydra composes all jobs before it starts the first, and refuses all of them for one that it cannot
        compose: a file cannot be read, or other overrides have nothing to override without it. Other unknown
        choices it leaves out, so that their jobs can be refused by themselves.
        """
        for trial in self.trials:
            groups = [trial.instead if group == trial.first else group for group in self.groups]
            try:
                compose(self.config_name, overrides=[*groups, *self.values_as_given])
            except _NOT_COMPOSABLE as error:
                yield trial.unknown or Problem(trial.instead, str(error), misspelt=True)

    def _set(self, config: DictConfig, key: str, value: object) -> None:
        try:
            OmegaConf.update(config, key, value, merge=True, force_add=True)
        except (OmegaConfBaseException, TypeError, ValueError):
            parent = key.rpartition(".")[0]
            self._note(key, f"there is no such key; {parent} is no section", value)

    def _note(self, key: str, explanation: str, value: object = NO_VALUE) -> None:
        self.found.append(Problem(key, explanation, value, misspelt=True))


def _first_text(override: Override) -> str:
    """Of a sweep, the override of its first job; of an interval, its lower end."""
    swept = override.value()
    if isinstance(swept, IntervalSweep):
        return f"{override.get_key_element()}={swept.start}"
    if override.is_sweep_override():
        return f"{override.get_key_element()}={next(override.sweep_string_iterator())}"
    return override.input_line or ""


def _first_value(override: Override) -> Any:
    return OverridesParser.create().parse_override(_first_text(override)).value()


def _value_text(override: Override) -> str:
    return (override.input_line or "").partition("=")[2]
