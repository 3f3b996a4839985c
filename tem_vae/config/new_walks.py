"""The schemas of the scripts that write walks: in an environment, along paths of rats, or through parks."""

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


class ParkWalkConfig(Section):
    """A car in Victoria Park, or in simulated parks, that sees trees."""

    out: NewFile = Field(description="The HDF5 file to write.")
    parks: int = Field(
        ge=0, le=100_000, description="How many simulated parks, one walk in each; 0 is the real drive."
    )
    length: float = Field(ge=10, le=100_000, description="Metres of a simulated walk.")
    drift: float = Field(
        ge=0, le=1, description="Of simulated walks: deviation of the drift of headings, radians a metre."
    )
    heading: Literal["odometry", "calibrated", "compass"] = Field(
        description="Of the real drive: as recorded; with its gain and bias fitted on the beginning; or "
        "known, from the path that gtsam finds."
    )
    calibration: float = Field(ge=10, le=100_000, description="Metres of that beginning.")
    spacing: float = Field(ge=0.5, le=100, description="Metres between two percepts.")
    trail: float = Field(gt=0, le=1_000, description="Metres for which a tree that was seen stays in view.")
    reach: float = Field(gt=0, le=1_000, description="Metres from the car to the edge of the map of trees.")
    cells: int = Field(ge=2, le=64, description="Points of the map along an axis.")
    width: float = Field(gt=0, le=100, description="Deviation of the bump that a tree makes, in metres.")
    seed: int = Field(ge=0, description="Decides the simulated parks.")
