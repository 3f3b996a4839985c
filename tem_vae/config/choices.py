"""Groups of the configuration, and names that are not among what there is to choose."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.object_type import ObjectType
from omegaconf import OmegaConf
from pydantic import BaseModel

from tem_vae.config.problems import Problem, raise_problems


class Choices:
    """What there is to choose from.

    Args:
        config_name: The file in ``conf/`` that is composed.
        schema: What the configuration is held against.
        overrides: Those of the search path count.
    """

    def __init__(self, config_name: str, schema: type[BaseModel], overrides: Sequence[str] = ()) -> None:
        self._config_name = config_name
        self._schema = schema
        self._searched = [text for text in overrides if text.startswith("hydra.searchpath=")]
        self._loader: ConfigLoader = GlobalHydra.instance().config_loader()

    def of(self, group: str) -> list[str]:
        """What there is of a group, with its folders where these are no groups of their own."""
        found = self._options(group, ObjectType.CONFIG)
        if group in self._schema.model_fields:
            return found
        folders = self._options(group, ObjectType.GROUP)
        return found + [f"{folder}/{name}" for folder in folders for name in self.of(f"{group}/{folder}")]

    def unknown(self, chosen: Mapping[str, object]) -> Iterator[Problem]:
        """What was chosen and is not there, by group; groups of Hydra's own are Hydra's to check."""
        for group, given in chosen.items():
            if given is not None and group.split("/")[0] != "hydra":
                known = self.of(group)
                for name in given if isinstance(given, list) else [given]:
                    if name not in known:
                        yield Problem(group, f"must be one of {', '.join(known)}", name, misspelt=True)

    def _options(self, group: str, kind: ObjectType) -> list[str]:
        return self._loader.get_group_options(group, kind, self._config_name, self._searched)


def check_choices(config_name: str, schema: type[BaseModel]) -> None:
    """Check what the job that runs was composed of.

    Groups are optional, so Hydra leaves out what it cannot find: else it would refuse a whole sweep for a
    name that one of its jobs has. Single runs are checked before they are composed.

    Raises:
        ConfigurationError: Something is not there to be chosen.
    """
    hydra = HydraConfig.get()
    choices = Choices(config_name, schema, hydra.overrides.hydra)
    chosen = cast(dict[str, object], OmegaConf.to_container(hydra.runtime.choices))
    raise_problems(list(choices.unknown(chosen)))
