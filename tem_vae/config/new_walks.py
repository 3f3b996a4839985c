"""The schemas of the scripts that write walks: recorded in an environment, or along the paths of rats."""

from typing import Literal

from pydantic import Field

from tem_vae.config.fields import NewFile, Section
from tem_vae.config.plugins import Arguments


class RecordConfig(Section):
    """Walks recorded in an environment of Gymnasium."""

    env: str = Field(min_length=1, description="The environment, as gymnasium.make takes it.")
    arguments: Arguments = Field(description="Keyword arguments of the environment; null: none.")
    moves: Literal["native", "turns", "headed_turns", "compass"] = Field(
        description="Of MiniGrid: its own actions; left, right and forward; the same, known by the heading "
        "before them; or to the east, south, west and north. What all but the first did is recorded, such "
        "as a way forward that was blocked."
    )
    pixels: bool = Field(description="Of MiniGrid: record what the walker sees as an image.")
    out: NewFile = Field(description="The HDF5 file to write.")
    walks: int = Field(ge=1, le=100_000, description="How many, each in an episode of its own.")
    steps: int = Field(
        ge=1, le=10_000_000, description="Actions of a walk, at most: it ends with its episode."
    )
    policy: Literal["random"] = Field(description="How actions are chosen.")
    copies: int = Field(ge=1, le=1_000, description="Environments that are walked in side by side.")
    seed: int = Field(ge=0, description="Decides episodes and actions.")


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
