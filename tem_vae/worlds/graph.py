"""A world that a JSON file describes place by place."""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, Strict, StrictStr, ValidationError, model_validator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tem_vae.reading import read_given
from tem_vae.worlds.world import NO_LINK, STAY, STAY_NUMBER, World, Worlds

# What a file may hold. Checking and storing such a world takes less than a second.
MOST_PLACES, MOST_LINKS, MOST_ACTIONS = 10_000, 20_000, 100
_LARGEST_FILE = 4 * 2**20  # bytes

_MOST_KEYS = 100
_MOST_PROBLEMS_SHOWN = 5
_LONGEST_PROBLEM = 1_000  # characters; names and keys may be of any length

Coordinate = Annotated[float, Strict()]


class WorldFileError(ValueError):
    """A file does not describe a world; the message lists what is wrong with it."""


class _FilePart(BaseModel):
    """A part of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_keys(cls, values: Any) -> Any:
        """Before each is looked at: a million unknown keys would be a million problems."""
        if isinstance(values, dict) and len(values) > _MOST_KEYS:
            raise ValueError(f"there are {len(values):,} keys where {len(cls.model_fields)} mean something")
        return values


class Place(_FilePart):
    """Where a walker can be."""

    name: StrictStr = Field(min_length=1, description="Its name, unlike that of any other place.")
    position: tuple[Coordinate, Coordinate] = Field(description="Where it is drawn: x, y in link lengths.")


class Link(_FilePart):
    """A step from one place to another, one way."""

    start: StrictStr = Field(alias="from", description="The place that it leaves.")
    action: StrictStr = Field(min_length=1, description="The action that follows it.")
    end: StrictStr = Field(alias="to", description="The place that it leads to.")


class WorldGraph(_FilePart):
    """Places, and links between them that are labelled by actions.

    Raises:
        ValidationError: Names repeat or do not fit together, or not every place can be reached from every
            other.
    """

    description: StrictStr = Field(default="", description="For the reader.")
    places: tuple[Place, ...] = Field(min_length=2, description=f"At least two, at most {MOST_PLACES:,}.")
    links: tuple[Link, ...] = Field(min_length=1, description=f"At least one, at most {MOST_LINKS:,}.")

    @property
    def actions(self) -> tuple[str, ...]:
        """The action that stays, then the others in the order in which they first appear among the links."""
        return (STAY, *dict.fromkeys(link.action for link in self.links))

    @model_validator(mode="before")
    @classmethod
    def _is_small(cls, values: Any) -> Any:
        """Before anything in them is looked at: a million wrong places would be a million problems."""
        for name, most in (("places", MOST_PLACES), ("links", MOST_LINKS)):
            entries = values.get(name) if isinstance(values, dict) else None
            if isinstance(entries, list | tuple) and len(entries) > most:
                raise ValueError(f"there are {len(entries):,} {name}, and a world may have at most {most:,}")
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.actions) > MOST_ACTIONS + 1:
            raise ValueError(
                f"the links name {len(self.actions) - 1:,} actions, "
                f"and a world may have at most {MOST_ACTIONS}"
            )
        problems = [*self._find_repeated_places(), *self._find_bad_links()]
        if not problems:
            problems = self._find_traps()
        if problems:
            raise ValueError("; ".join(shorten(problems)))
        return self

    def _find_repeated_places(self) -> list[str]:
        counts = sorted(Counter(place.name for place in self.places).items())
        return [
            f'{count} places have the name "{name}"; give each its own' for name, count in counts if count > 1
        ]

    def _find_bad_links(self) -> list[str]:
        names = {place.name for place in self.places}
        problems: list[str] = []
        first: dict[tuple[str, str], int] = {}
        for number, link in enumerate(self.links):
            problems += [
                f'links[{number}] leads {way} "{name}", which is not among the places'
                for way, name in (("from", link.start), ("to", link.end))
                if name not in names
            ]
            if link.action == STAY:
                problems.append(f'links[{number}] has the action "{STAY}", which every place has by itself')
            earlier = first.setdefault((link.start, link.action), number)
            if earlier != number:
                problems.append(
                    f'links[{earlier}] and links[{number}] both leave "{link.start}" by "{link.action}"; '
                    "an action leads to one place"
                )
        return problems

    def _find_traps(self) -> list[str]:
        """A problem if a walk cannot go from any place to any other."""
        number = {place.name: i for i, place in enumerate(self.places)}
        start, end = (
            [number[link.start] for link in self.links],
            [number[link.end] for link in self.links],
        )
        links = coo_array((np.ones(len(start)), (start, end)), shape=(len(number),) * 2)
        n_parts, part = connected_components(links, directed=True, connection="strong")
        if n_parts == 1:
            return []
        other = self.places[int(np.flatnonzero(part != part[0])[0])].name
        return [
            f'from "{self.places[0].name}" to "{other}" there is no way, or none back; links lead one way, '
            "so give both directions where both can be walked"
        ]


def read_graph(file: Path) -> WorldGraph:
    """The world that a file describes.

    Raises:
        WorldFileError: It cannot be read, is no JSON, or describes no world.
    """
    try:
        content = json.loads(read_given(file, _LARGEST_FILE).decode("utf-8"))
        return WorldGraph.model_validate(content)
    except OSError as error:
        raise WorldFileError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WorldFileError(f"{file} is no JSON: it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise WorldFileError(
            f"{file} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise WorldFileError(f"{file} describes no world: it is nested too deeply") from None
    except ValidationError as error:
        problems = [_describe(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()]
        raise WorldFileError(f"{file} describes no world: {'; '.join(shorten(problems))}") from None
    except ValueError:
        raise WorldFileError(f"{file} describes no world: a number in it has thousands of digits") from None


def shorten(problems: list[str]) -> list[str]:
    """The first few of many problems, and how many more there are."""
    shown = [
        text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]} ..."
        for text in problems[:_MOST_PROBLEMS_SHOWN]
    ]
    more = len(problems) - len(shown)
    return [*shown, f"and {more} more problems"] if more else shown


def _describe(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """One problem as a sentence; locations read like links[3].action."""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in location]
    where = "".join(steps).removeprefix(".")
    parent = "".join(steps[:-1]).removeprefix(".") or "the file"
    if kind == "missing" and isinstance(location[-1], int):
        return f"{parent} has too few entries"
    if kind == "missing":
        return f'{parent} has no "{location[-1]}"'
    if kind == "extra_forbidden":
        return f'{parent} has a key "{location[-1]}", which means nothing here'
    if kind == "model_type":
        return f'{where or "the file"} must be an object, as in {{"key": value}}'
    return f"{where}: {message}" if where else message.removeprefix("Value error, ")


class GraphWorlds:
    """Worlds that all have the same places and links; only what the places hold differs.

    Args:
        graph: Places, and links labelled by actions.
    """

    def __init__(self, graph: WorldGraph) -> None:
        self.actions = graph.actions
        self.world = _lay_out(graph)

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """The world, ``batch`` times."""
        return Worlds.stack([self.world] * batch)


def _lay_out(graph: WorldGraph) -> World:
    place = {place.name: number for number, place in enumerate(graph.places)}
    action = {name: number for number, name in enumerate(graph.actions)}
    destinations = np.full((len(place), len(action)), NO_LINK)
    destinations[:, STAY_NUMBER] = np.arange(len(place))
    for link in graph.links:
        destinations[place[link.start], action[link.action]] = place[link.end]
    return World(destinations, np.array([place.position for place in graph.places]))
