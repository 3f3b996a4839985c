"""The part of the schema that says what worlds are like."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tem_vae.data.worlds import (
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RingWorlds,
    WorldGraph,
    read_graph,
)
from tem_vae.training.section import Section


def _as_range(value: object) -> object:
    """A number stands for the range of it alone."""
    sizes = value if isinstance(value, list | tuple) else (value, value)
    if len(sizes) != 2 or not all(type(size) is int for size in sizes) or not 1 <= sizes[0] <= sizes[1]:
        raise ValueError("must be a whole number >= 1, or [min, max] with 1 <= min <= max")
    return tuple(sizes)


def _check_ring(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] < 3:
        raise ValueError(f"a ring has at least 3 places, got {list(value)}")
    return value


SizeRange = Annotated[tuple[int, int], BeforeValidator(_as_range)]


class RectangularWorldConfig(Section):
    """Rectangular lattices."""

    kind: Literal["rectangular"] = Field(description="Which kind of world.")
    height: SizeRange = Field(description="Rows, a number or [min, max]; drawn evenly for each world.")
    width: SizeRange = Field(description="Columns, a number or [min, max]; drawn evenly for each world.")

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return RectangularWorlds.actions


class ObstructedWorldConfig(Section):
    """Rectangular lattices with walls between places and obstacles in place of some, drawn for each world."""

    kind: Literal["obstructed"] = Field(description="Which kind of world.")
    height: SizeRange = Field(description="Rows, a number or [min, max]; drawn evenly for each world.")
    width: SizeRange = Field(description="Columns, a number or [min, max]; drawn evenly for each world.")
    obstacles: float = Field(ge=0, lt=1, description="The share of cells that are no places.")
    walls: float = Field(
        ge=0, le=1, description="Probability of a wall in a link that the world can spare; with 1 no loops."
    )

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return ObstructedWorlds.actions


class HexagonalWorldConfig(Section):
    """Hexagons of hexagonal cells."""

    kind: Literal["hexagonal"] = Field(description="Which kind of world.")
    radius: SizeRange = Field(
        description="Links from center to border, a number or [min, max]; k makes 3k(k + 1) + 1 places."
    )

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return HexagonalWorlds.actions


class RingWorldConfig(Section):
    """Closed tracks."""

    kind: Literal["ring"] = Field(description="Which kind of world.")
    places: Annotated[SizeRange, AfterValidator(_check_ring)] = Field(
        description="Places, at least 3, a number or [min, max]; only with a number can closing be foreseen."
    )

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return RingWorlds.actions


class GraphWorldConfig(Section):
    """One world, given place by place in a JSON file; its places hold something else in every walk."""

    kind: Literal["graph"] = Field(description="Which kind of world.")
    file: Path = Field(strict=False, description="The JSON file, as docs/worlds.md describes it.")
    graph: WorldGraph = Field(
        description="What the file says; null reads it. A checkpoint keeps it, and so needs no file."
    )

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions."""
        return self.graph.actions

    @model_validator(mode="before")
    @classmethod
    def _read(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("graph") is not None:
            return values
        file = values.get("file")
        return values | {"graph": read_graph(Path(file))} if isinstance(file, str | Path) else values


WorldConfig = Annotated[
    RectangularWorldConfig
    | ObstructedWorldConfig
    | HexagonalWorldConfig
    | RingWorldConfig
    | GraphWorldConfig,
    Field(discriminator="kind"),
]


class EvaluationWorldConfig(Section):
    """The worlds of an evaluation; null keeps what the run was tested on, if that is of the same kind."""

    kind: Literal["rectangular", "obstructed", "hexagonal", "ring", "graph"] | None = Field(
        description="Which kind of world; the run must have been trained with all of its actions."
    )
    height: SizeRange | None = Field(description="Rows, a number or [min, max].")
    width: SizeRange | None = Field(description="Columns, a number or [min, max].")
    obstacles: float | None = Field(description="Of obstructed worlds: share of cells that are no places.")
    walls: float | None = Field(description="Of obstructed worlds: probability of a wall in a spare link.")
    radius: SizeRange | None = Field(description="Of hexagonal worlds: links from the center to the border.")
    places: SizeRange | None = Field(description="Of rings: how many places.")
    file: Annotated[Path, Field(strict=False)] | None = Field(
        description="Of a graph: the JSON file, as docs/worlds.md describes it."
    )

    def override(self, world: WorldConfig) -> dict[str, Any]:
        """The values of a world configuration, not yet checked: the given one with what is not null here."""
        changes = self.model_dump(exclude_none=True)
        same_kind = self.kind in (None, world.kind)
        kept = world.model_dump(exclude={"graph"} if self.file else None) if same_kind else {}
        return kept | changes
