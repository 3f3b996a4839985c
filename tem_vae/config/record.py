"""The schema of recording walks, and its command line."""

from typing import Literal

from hydra import initialize_config_dir
from pydantic import Field

from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.fields import NewFile, Section
from tem_vae.config.launch import parse_arguments


class RecordConfig(Section):
    """Walks recorded in an environment of Gymnasium."""

    env: str = Field(min_length=1, description="The environment, as gymnasium.make takes it.")
    out: NewFile = Field(description="The HDF5 file to write.")
    walks: int = Field(ge=1, le=100_000, description="How many, each in an episode of its own.")
    steps: int = Field(
        ge=1, le=10_000_000, description="Actions of a walk, at most: it ends with its episode."
    )
    policy: Literal["random"] = Field(description="How actions are chosen.")
    copies: int = Field(ge=1, le=1_000, description="Environments that are walked in side by side.")
    seed: int = Field(ge=0, description="Decides episodes and actions.")


def read_arguments() -> RecordConfig:
    """What the command line says, checked.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    options = parse_arguments()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run(options.overrides, "record_walks", RecordConfig)[1]
