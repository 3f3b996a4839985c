"""How a walker chooses its actions."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.worlds import NO_LINK, STAY_NUMBER, Range, Worlds, check_range


class Policy(Protocol):
    """A way to choose actions."""

    def walk(self, worlds: Worlds, length: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Walk once through every world, from a place drawn evenly.

        Args:
            worlds: The worlds, a walk in each.
            length: Walk steps, that is percepts; one action fewer.
            rng: The source of every draw.

        Returns:
            places: shape (batch, length).
            actions: shape (batch, length - 1).
        """


@dataclass(frozen=True)
class MomentumPolicy:
    """Walk on in the same direction with some probability, else take any open action with equal chance.

    A direction is kept only where its link exists, so a walker turns at walls; staying put is
    one of the open actions but is never kept.

    Attributes:
        momentum: The probability of keeping the direction, in [0, 1].
    """

    momentum: float

    def walk(self, worlds: Worlds, length: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Walk once through every world; see `Policy.walk`."""
        keeps = rng.random((length - 1, len(worlds.sizes))) < self.momentum
        choices = rng.random((length - 1, len(worlds.sizes)))
        walkers = _Walkers(worlds, _draw_places(worlds, rng), worlds.destinations != NO_LINK)
        for keep, choice in zip(keeps, choices, strict=True):
            kept = keep & walkers.can_go_on()
            walkers.take(np.where(kept, walkers.action, walkers.choose(choice)))
        return walkers.places(), walkers.actions()


@dataclass(frozen=True)
class RunsPolicy:
    """Walk straight ahead for a number of steps, then draw a new direction and a new number.

    The direction is drawn evenly among the open ones, the number of steps from a range: evenly, or evenly on
    a logarithmic scale, where short runs and long ones are alike in number. A run ends early where its link
    is missing. A new run may have the direction of the one before. Staying put is no
    direction: a walker stays only where no other action is open.

    Attributes:
        lengths: Smallest and largest number of steps of a run.
        distribution: Of the number of steps in that range.

    Raises:
        ValueError: If the range is empty or begins below 1.
    """

    lengths: Range
    distribution: Literal["uniform", "log_uniform"] = "uniform"

    def __post_init__(self) -> None:
        check_range("lengths", self.lengths, smallest=1)

    def walk(self, worlds: Worlds, length: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Walk once through every world; see `Policy.walk`."""
        # A run may begin at every step, so a length and a choice are drawn for every step.
        lengths = self._draw_lengths((length - 1, len(worlds.sizes)), rng)
        choices = rng.random((length - 1, len(worlds.sizes)))
        walkers = _Walkers(worlds, _draw_places(worlds, rng), _open_directions(worlds))
        left = np.zeros(len(worlds.sizes), dtype=np.int64)
        for run_length, choice in zip(lengths, choices, strict=True):
            goes_on = (left > 0) & walkers.can_go_on()
            left = np.where(goes_on, left, run_length) - 1
            walkers.take(np.where(goes_on, walkers.action, walkers.choose(choice)))
        return walkers.places(), walkers.actions()

    def _draw_lengths(self, shape: tuple[int, int], rng: np.random.Generator) -> IntArray:
        if self.distribution == "uniform":
            return rng.integers(*self.lengths, shape, endpoint=True)
        smallest, largest = self.lengths
        return np.exp(rng.uniform(np.log(smallest), np.log(largest + 1), shape)).astype(np.int64)


def _draw_places(worlds: Worlds, rng: np.random.Generator) -> IntArray:
    """A place of every world, drawn evenly, shape (batch,)."""
    return np.floor(rng.random(len(worlds.sizes)) * worlds.sizes).astype(np.int64)


def _open_directions(worlds: Worlds) -> BoolArray:
    """The open actions but staying, and staying where nothing else is open, (batch, places, actions)."""
    is_open = worlds.destinations != NO_LINK
    others = np.arange(is_open.shape[-1]) != STAY_NUMBER
    directions: BoolArray = is_open & others
    return np.where(directions.any(axis=-1, keepdims=True), directions, is_open)


class _Walkers:
    """A walker in each world of a batch, and the way that each has come.

    Args:
        worlds: The worlds.
        places: Where the walkers start, shape (batch,).
        choosable: Which actions `choose` takes at each place, at least one, (batch, places, actions).
    """

    def __init__(self, worlds: Worlds, places: IntArray, choosable: BoolArray) -> None:
        batch, n_places, n_actions = worlds.destinations.shape
        # Places of all worlds are numbered through, so that one index suffices at every step.
        self._first = np.arange(batch) * n_places
        self._destinations = worlds.destinations.reshape(-1, n_actions)
        choosable = choosable.reshape(-1, n_actions)
        self._n_choosable = choosable.sum(axis=1)
        self._choosable_first = np.argsort(~choosable, axis=1, kind="stable")
        self._here = self._first + places
        self._places, self._actions = [places], [np.full(batch, STAY_NUMBER)]

    @property
    def action(self) -> IntArray:
        """The latest action of each walker, shape (batch,); before the first step, to stay."""
        return self._actions[-1]

    def can_go_on(self) -> BoolArray:
        """Whether the latest action was a move and is open here too, shape (batch,)."""
        open_here: BoolArray = self._destinations[self._here, self.action] != NO_LINK
        can: BoolArray = open_here & (self.action != STAY_NUMBER)
        return can

    def choose(self, choice: FloatArray) -> IntArray:
        """An action of each walker, by a number in [0, 1) that was drawn evenly, shape (batch,)."""
        number = (choice * self._n_choosable[self._here]).astype(np.int64)
        chosen: IntArray = self._choosable_first[self._here, number]
        return chosen

    def take(self, action: IntArray) -> None:
        """Let each walker take an action that is open to it, shape (batch,)."""
        places = self._destinations[self._here, action]
        self._here = self._first + places
        self._actions.append(action)
        self._places.append(places)

    def places(self) -> IntArray:
        """Where each walker has been, shape (batch, steps + 1)."""
        return np.stack(self._places, axis=1)

    def actions(self) -> IntArray:
        """What each walker has done, shape (batch, steps)."""
        return np.stack(self._actions, axis=1)[:, 1:]
