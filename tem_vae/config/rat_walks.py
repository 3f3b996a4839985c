"""The schema of walks along the paths of rats, and its command line."""

from typing import Literal

from hydra import initialize_config_dir
from pydantic import Field

from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.fields import NewFile, Section
from tem_vae.config.launch import parse_arguments


class RatWalksConfig(Section):
    """Real paths of rats, seen by simulated place cells."""

    rat: Literal["sargolini", "tanni"] = Field(description="Whose path, by the name of its file.")
    out: NewFile = Field(description="The HDF5 file to write.")
    rate: float = Field(gt=0, le=30, description="Percepts a second.")
    steps: int = Field(ge=2, le=100_000, description="Percepts of a walk.")
    sessions: int = Field(
        ge=1, le=1_000, description="How often the path is walked; each time the cells remap."
    )
    cells: int = Field(ge=1, le=10_000, description="Place cells; each walk has others.")
    width: float = Field(
        gt=0, le=10, description="Deviation of a place field, as a share of the root of the area of the box."
    )
    noise: float = Field(ge=0, le=10, description="Deviation of the noise on rates, whose peak is 1.")
    seed: int = Field(ge=0, description="Decides the place cells and the noise.")


def read_arguments() -> RatWalksConfig:
    """What the command line says, checked.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    options = parse_arguments()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run(options.overrides, "rat_walks", RatWalksConfig)[1]
