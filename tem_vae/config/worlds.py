"""The part of the schema that says what worlds are like and how they are walked."""

from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from tem_vae.config.changes import ReadFrom
from tem_vae.config.fields import Allowed, OneKind, Section, checks_files
from tem_vae.config.plugin_trials import try_worlds
from tem_vae.config.plugins import Arguments, Target, import_plugin
from tem_vae.worlds import (
    GraphWorlds,
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RingWorlds,
    TorusWorlds,
    WorldGraph,
    WorldSource,
    find_contradiction,
    read_graph,
)

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import Policy

_LARGEST_SIZE = 1_000


def _sizes(smallest: int) -> str:
    return f"whole number >= {smallest}, or [min, max] with {smallest} <= min <= max <= {_LARGEST_SIZE}"


def _as_range(value: object, *, smallest: int) -> object:
    """A number stands for the range of it alone."""
    sizes = value if isinstance(value, list | tuple) else (value, value)
    whole = len(sizes) == 2 and all(type(size) is int for size in sizes)
    if not whole or not smallest <= sizes[0] <= sizes[1] <= _LARGEST_SIZE:
        raise ValueError(f"must be a {_sizes(smallest)}")
    return tuple(sizes)


def _check_graph(file: Path, info: ValidationInfo) -> Path:
    # Where the graph was just read, this reads it again; an evaluation has the file alone.
    if checks_files(info):
        read_graph(file)
    return file


WorldFile = Annotated[Path, Field(strict=False), AfterValidator(_check_graph)]
SizeRange = Annotated[tuple[int, int], BeforeValidator(partial(_as_range, smallest=1)), Allowed(_sizes(1))]
# In a world that closes, a way round has 3 links or more.
ClosedRange = Annotated[tuple[int, int], BeforeValidator(partial(_as_range, smallest=3)), Allowed(_sizes(3))]


class WorldSection(Section, ABC):
    """What the sections of all kinds of worlds have in common."""

    @abstractmethod
    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return tuple(self.build().actions)

    def doubts(self) -> list[str]:
        """What speaks against training in these worlds, though it is possible; a sentence or more each."""
        return []


class RectangularWorldConfig(WorldSection):
    """Rectangular lattices."""

    kind: Literal["rectangular"] = Field(description="Which kind of world.")
    height: SizeRange = Field(description="How many rows of places, drawn evenly for each world.")
    width: SizeRange = Field(description="How many columns of places, drawn evenly for each world.")

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return RectangularWorlds(self.height, self.width)


class TorusWorldConfig(WorldSection):
    """Rectangular lattices whose opposite edges are joined."""

    kind: Literal["torus"] = Field(description="Which kind of world.")
    height: ClosedRange = Field(description="How many rows of places, drawn evenly for each world.")
    width: ClosedRange = Field(description="How many columns of places, drawn evenly for each world.")

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return TorusWorlds(self.height, self.width)


class ObstructedWorldConfig(WorldSection):
    """Rectangular lattices with walls between places and obstacles in place of some, drawn for each world."""

    kind: Literal["obstructed"] = Field(description="Which kind of world.")
    height: SizeRange = Field(description="How many rows of places, drawn evenly for each world.")
    width: SizeRange = Field(description="How many columns of places, drawn evenly for each world.")
    obstacles: float = Field(ge=0, lt=1, description="The share of cells that are no places.")
    walls: float = Field(
        ge=0, le=1, description="Probability of a wall in a link that the world can spare; with 1 no loops."
    )

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return ObstructedWorlds(self.height, self.width, self.obstacles, self.walls)


class HexagonalWorldConfig(WorldSection):
    """Hexagons of hexagonal cells."""

    kind: Literal["hexagonal"] = Field(description="Which kind of world.")
    radius: SizeRange = Field(
        description="Links from center to border, drawn evenly for each world; k makes 3k(k + 1) + 1 places."
    )

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return HexagonalWorlds(self.radius)


class RingWorldConfig(WorldSection):
    """Closed tracks."""

    kind: Literal["ring"] = Field(description="Which kind of world.")
    places: ClosedRange = Field(
        description="How many places, at least 3; with one number, where rings close can be learned."
    )

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return RingWorlds(self.places)


class GraphWorldConfig(WorldSection):
    """One world, given place by place in a JSON file; its places hold something else in every walk."""

    kind: Literal["graph"] = Field(description="Which kind of world.")
    file: WorldFile = Field(description="The JSON file, as docs/worlds.md describes it.")
    graph: Annotated[WorldGraph, Allowed("what such a file holds, or `null`"), ReadFrom("file")] = Field(
        description="What the file says; null reads it. A checkpoint keeps it, and so needs no file."
    )

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return GraphWorlds(self.graph)

    def doubts(self) -> list[str]:
        """That path integration cannot tell two places apart, with two links that contradict each other."""
        worlds = GraphWorlds(self.graph)
        found = find_contradiction(worlds.world.destinations)
        if found is None:
            return []
        names = [place.name for place in self.graph.places]
        one, other = (f'"{worlds.actions[a]}" from "{names[s]}" to "{names[e]}"' for s, a, e in found)
        return [
            f"path integration cannot represent the world of {self.file}: {one} and {other} contradict each "
            "other. By where all links lead, both lead to the same place if actions add up in any order. "
            "Where a world branches, as a tree does, give actions that mean one displacement everywhere, or "
            "expect no zero-shot links; see docs/worlds.md."
        ]

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, values: Any, info: ValidationInfo) -> Any:
        """Only where the user's own configuration is checked: what a checkpoint names is never opened."""
        if not isinstance(values, dict) or values.get("graph") is not None or not checks_files(info):
            return values
        file = values.get("file")
        return values | {"graph": read_graph(Path(file))} if isinstance(file, str | Path) else values


class PluginWorldConfig(WorldSection):
    """Worlds of a class of the user's own, which a world source is: docs/data.md says how."""

    kind: Literal["plugin"] = Field(description="Which kind of world.")
    target: Target = Field(description="The class; its package must be among `plugins`.")
    arguments: Arguments = Field(description="Keyword arguments of the class; null: none.")

    _made: WorldSource = PrivateAttr()

    def build(self) -> WorldSource:
        """The source of worlds that the section describes."""
        return self._made

    @model_validator(mode="after")
    def _make(self, info: ValidationInfo) -> Self:
        self._made = import_plugin(self.target, self.arguments, WorldSource, info)
        try_worlds(self.target, self._made)
        return self


WorldConfig = Annotated[
    RectangularWorldConfig
    | TorusWorldConfig
    | ObstructedWorldConfig
    | HexagonalWorldConfig
    | RingWorldConfig
    | GraphWorldConfig
    | PluginWorldConfig,
    Field(discriminator="kind"),
    OneKind(),
]


class PolicySection(Section, ABC):
    """What the sections of all kinds of walkers have in common."""

    @abstractmethod
    def build(self) -> "Policy":
        """The walker that the section describes."""


class MomentumPolicyConfig(PolicySection):
    """Walkers that keep their direction with some probability and else take any open action."""

    kind: Literal["momentum"] = Field(description="Which kind of walker.")
    momentum: float = Field(ge=0, le=1, description="Probability that a walker keeps its direction.")

    def build(self) -> "Policy":
        """The walker that the section describes."""
        from tem_vae.data import MomentumPolicy

        return MomentumPolicy(self.momentum)


class RunsPolicyConfig(PolicySection):
    """Walkers that go straight on for some steps, then draw another direction and another number of steps."""

    kind: Literal["runs"] = Field(description="Which kind of walker.")
    lengths: SizeRange = Field(description="How many steps straight on, drawn for each run.")
    distribution: Literal["uniform", "log_uniform"] = Field(
        description="Of the number of steps: even; or even on a logarithmic scale, many short and some long."
    )

    def build(self) -> "Policy":
        """The walker that the section describes."""
        from tem_vae.data import RunsPolicy

        return RunsPolicy(self.lengths, self.distribution)


PolicyConfig = Annotated[MomentumPolicyConfig | RunsPolicyConfig, Field(discriminator="kind"), OneKind()]
