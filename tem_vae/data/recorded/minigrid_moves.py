"""MiniGrid as it is recorded here: what the walker sees in pixels, and actions that say what they did.

MiniGrid is an extra: ``pip install 'tem_vae[gym]'``.
"""

from abc import abstractmethod
from typing import Any, ClassVar, SupportsFloat, cast

import gymnasium
import numpy as np
from minigrid.core.actions import Actions
from minigrid.minigrid_env import MiniGridEnv
from minigrid.wrappers import ImgObsWrapper, RGBImgPartialObsWrapper

Observed = tuple[Any, dict[str, Any]]
Stepped = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]

HEADINGS = ("east", "south", "west", "north")  # as MiniGrid numbers them
_TILE = 8  # pixels a cell
_SIDE = 2**12  # cells are numbered row by row of a plane so large


class Moves(gymnasium.Wrapper[Any, Any, Any, Any]):
    """MiniGrid with other actions, and with what was done in ``info``.

    In ``info`` are ``action``, the number of what the last action did, ``place``, the number of the cell and
    the heading together, and ``position``, the column and the row of the cell.

    Attributes:
        commands: What can be asked for, by name.
        outcomes: What can happen, by name: what is asked for may be impossible.

    Args:
        env: An environment of MiniGrid, wrapped or not.
    """

    commands: ClassVar[tuple[str, ...]]
    outcomes: ClassVar[tuple[str, ...]]

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self.grid = cast(MiniGridEnv, env.unwrapped)
        self.action_space = gymnasium.spaces.Discrete(len(self.commands))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Observed:
        """Begin an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, info | self._describe(0)

    def step(self, action: Any) -> Stepped:
        """Do what a command asks for, as far as walls allow it."""
        cell, heading = self._cell(), int(self.grid.agent_dir)
        observation, reward, terminated, truncated, info = self.env.step(self._obey(int(action)))
        done = self._name(int(action), heading, is_blocked=self._cell() == cell)
        return observation, reward, terminated, truncated, info | self._describe(done)

    @abstractmethod
    def _obey(self, command: int) -> Actions:
        """The action of MiniGrid that does what a command asks for."""

    @abstractmethod
    def _name(self, command: int, heading: int, is_blocked: bool) -> int:
        """The number of what was done.

        Args:
            command: What was asked for.
            heading: Where the walker looked before.
            is_blocked: Whether it is in the same cell as before.
        """

    def _describe(self, done: int) -> dict[str, Any]:
        column, row = self._cell()
        place = (row * _SIDE + column) * len(HEADINGS) + int(self.grid.agent_dir)
        return {"action": done, "place": place, "position": np.array([column, row])}

    def _cell(self) -> tuple[int, int]:
        column, row = self.grid.agent_pos
        return int(column), int(row)


class Turns(Moves):
    """MiniGrid's own turns to the left and to the right, and the way forward, of which walls are told.

    Where forward leads depends on the heading: such actions do not add up in any order.
    """

    commands = ("left", "right", "forward")
    outcomes: ClassVar[tuple[str, ...]] = (*commands, "blocked")

    def _obey(self, command: int) -> Actions:
        return (Actions.left, Actions.right, Actions.forward)[command]

    def _name(self, command: int, heading: int, is_blocked: bool) -> int:
        return command + (is_blocked and self.commands[command] == "forward")


class HeadedTurns(Turns):
    """The same, known by the heading before: for a walker that has a compass.

    Then a step changes cell and heading alike wherever it is made, and what steps do adds up in any order.
    """

    outcomes = tuple(f"{done}_from_{heading}" for heading in HEADINGS for done in Turns.outcomes)

    def _name(self, command: int, heading: int, is_blocked: bool) -> int:
        return heading * len(Turns.outcomes) + super()._name(command, heading, is_blocked)


class Compass(Moves):
    """Moves to the east, south, west and north: the walker turns to that heading and goes forward.

    What it sees depends on its heading, so a step is known by the heading before it, too. Then it changes
    cell and heading alike wherever it is made, and what steps do adds up in any order.
    """

    commands = HEADINGS
    outcomes = tuple(
        f"{before}_to_{after}{blocked}"
        for blocked in ("", "_blocked")
        for before in HEADINGS
        for after in HEADINGS
    )

    def _obey(self, command: int) -> Actions:
        self.grid.agent_dir = command  # a turn costs no step of the episode
        return Actions.forward

    def _name(self, command: int, heading: int, is_blocked: bool) -> int:
        n = len(HEADINGS)
        return (is_blocked * n + heading) * n + command


MOVES: dict[str, type[Moves]] = {"turns": Turns, "headed_turns": HeadedTurns, "compass": Compass}


def in_pixels(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """What the walker sees of the cells before it and beside it, an image of 8 pixels a cell."""
    seen = RGBImgPartialObsWrapper(env, tile_size=_TILE)  # type: ignore[no-untyped-call]
    return ImgObsWrapper(seen)  # type: ignore[no-untyped-call]


def is_minigrid(env: gymnasium.Env[Any, Any]) -> bool:
    """Whether an environment is one of MiniGrid."""
    return isinstance(env.unwrapped, MiniGridEnv)
