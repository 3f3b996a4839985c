"""Walks recorded in an environment of Gymnasium, which is an extra: ``pip install 'tem_vae[gym]'``."""

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from tem_vae.arrays import IntArray
from tem_vae.data.recorded.contents import Array
from tem_vae.errors import ConfigurationError
from tem_vae.runs.files import whole_file

if TYPE_CHECKING:
    import gymnasium

_POSITIONS = ("position", "positions", "agent_pos", "pos")
_SIDE = 2**15  # places of whole-numbered positions are numbered row by row of a plane so large
_LONGEST_REASON = 200
_PACKING = {"compression": "gzip", "compression_opts": 1}
_BYTES_OF_CHUNK = 2**18  # read in half a millisecond


class Recorder:
    """Walks at random in several copies of an environment side by side. A walk ends with its episode.

    Percepts are the observations: arrays as they are, anything else as one vector. Positions are recorded
    where the environment has them in its ``info`` or as ``agent_pos``; places, where it has them in its
    ``info``, or observations are numbers of states, or positions are whole numbers.

    Args:
        env: The name of the environment, as ``gymnasium.make`` takes it.
        copies: How many.
        arguments: Keyword arguments of the environment; None for none.
        moves: What the walker does: ``native``, or of MiniGrid ``turns``, ``headed_turns`` or ``compass``.
        pixels: Of MiniGrid: whether percepts are images of what the walker sees.

    Raises:
        ConfigurationError: Gymnasium is not installed or has no such environment, or what is observed or
            done in it cannot be recorded.
    """

    def __init__(
        self,
        env: str,
        copies: int,
        arguments: Mapping[str, Any] | None = None,
        moves: str = "native",
        pixels: bool = False,
    ) -> None:
        try:
            import gymnasium
        except ImportError:
            raise ConfigurationError(
                "gymnasium is not installed; install it with: pip install 'tem_vae[gym]'"
            ) from None
        try:
            as_minigrid = _minigrid_wrapper(env, moves, pixels)
            one = as_minigrid(gymnasium.make(env, **(arguments or {})))
            wrap = _wrapper(env, one.observation_space)
            one.close()
            self.envs = gymnasium.vector.SyncVectorEnv(
                [lambda: wrap(as_minigrid(gymnasium.make(env, **(arguments or {}))))] * copies
            )
        except (gymnasium.error.Error, ImportError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ConfigurationError):
                raise
            reason = " ".join(str(error).split())[:_LONGEST_REASON]
            raise ConfigurationError(f"env = {env}: Gymnasium cannot make it: {reason}") from None
        self.env = env
        self.numbers_states = isinstance(one.observation_space, gymnasium.spaces.Discrete)
        space = self.envs.single_action_space
        if not isinstance(space, gymnasium.spaces.Discrete | gymnasium.spaces.Box):
            raise ConfigurationError(
                f"env = {env}: its actions are {space}; only numbered ones (Discrete) and vectors (Box) can "
                "be recorded"
            )
        self.n_actions: int | None = None
        self.first_action = 0
        if isinstance(space, gymnasium.spaces.Discrete):
            self.n_actions, self.first_action = int(space.n), int(space.start)
        # What was done, where it may be something else than what was asked for.
        self.outcomes: Sequence[str] = () if moves == "native" else self._attributes("outcomes")[0]

    @property
    def action_names(self) -> list[str] | None:
        """Their names where the environment has an enumeration of them."""
        if self.outcomes:
            return list(self.outcomes)
        (actions, *_) = self._attributes("actions")
        is_named = isinstance(actions, type) and issubclass(actions, enum.Enum)
        names = [action.name for action in actions] if is_named else []
        return names if names and len(names) == self.n_actions else None

    def record(self, walks: int, steps: int, seed: int) -> Iterator[dict[str, Array]]:
        """Record walks, each in an episode of its own.

        Args:
            walks: How many.
            steps: Actions of a walk, at most.
            seed: Decides the episodes and the actions.
        """
        self.envs.action_space.seed(seed)
        copies = self.envs.num_envs
        for first in range(0, walks, copies):
            yield from self._episodes(list(range(seed + first, seed + first + copies)), steps)[
                : walks - first
            ]

    def _episodes(self, seeds: list[int | None], steps: int) -> list[dict[str, Array]]:
        """One walk in every copy."""
        observation, info = self.envs.reset(seed=seeds)
        observed, known = [observation], [self._truth(info)]
        acted: list[Array] = []
        lengths = np.zeros(len(seeds), dtype=np.int64)
        going = np.ones(len(seeds), dtype=bool)
        while going.any() and len(acted) < steps:
            actions = self.envs.action_space.sample()
            observation, _, terminated, truncated, info = self.envs.step(actions)
            observed.append(observation.copy())
            acted.append(info["action"] if self.outcomes else actions)
            known.append(self._truth(info))
            lengths += going
            going &= ~(terminated | truncated)
        return [self._walk(n, int(lengths[n]), observed, acted, known) for n in range(len(seeds))]

    def _walk(
        self, copy: int, steps: int, observed: list[Array], acted: list[Array], known: list[dict[str, Array]]
    ) -> dict[str, Array]:
        percepts = np.stack([step[copy] for step in observed[: steps + 1]])
        actions = np.stack([step[copy] for step in acted[:steps]])
        if self.n_actions is None:
            actions = actions.reshape(steps, -1).astype(np.float32)
        else:
            actions = actions - self.first_action
        walk = {"percepts": percepts, "actions": actions}
        for name in ("positions", "places"):
            values = [step[name][copy] for step in known[: steps + 1] if name in step]
            if len(values) == steps + 1:
                walk[name] = np.stack(values)
        if self.numbers_states:
            walk["places"] = percepts.argmax(axis=1)
        elif "places" not in walk and "positions" in walk and _are_cells(walk["positions"]):
            walk["places"] = _number(walk["positions"])
        return walk

    def _truth(self, info: Mapping[str, Any]) -> dict[str, Array]:
        """What is known of every copy: positions, (copies, 2 or 3), and places, (copies,)."""
        found = next((info[name] for name in _POSITIONS if name in info), None)
        known = {}
        try:
            positions = np.array(self._attributes("agent_pos") if found is None else found)
            if positions.ndim == 2 and positions.shape[1] in (2, 3) and positions.dtype.kind in "iuf":
                known["positions"] = positions
        except ValueError:
            pass  # not all copies have one
        places = np.asarray(info.get("place"))
        return known | ({"places": places} if places.dtype.kind in "iu" and places.ndim == 1 else {})

    def _attributes(self, name: str) -> list[Any]:
        """An attribute of every copy; None of those that have none."""
        return [one.get_wrapper_attr(name) if one.has_wrapper_attr(name) else None for one in self.envs.envs]

    def close(self) -> None:
        """Close the environments."""
        self.envs.close()


def _wrapper(env: str, space: "gymnasium.Space[Any]") -> Callable[[Any], Any]:
    """What makes arrays of 1 to 3 dimensions of observations. Of several, those are kept that are numbers."""
    from gymnasium import spaces, wrappers

    if isinstance(space, spaces.Box) and 1 <= len(space.shape) <= 3:
        return lambda one: one
    numbers = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
    if not isinstance(space, spaces.Dict):
        if not isinstance(space, (*numbers, spaces.Tuple)) or not space.is_np_flattenable:
            raise ConfigurationError(f"env = {env}: its observations, {space}, cannot be made a vector")
        return wrappers.FlattenObservation
    usable = [name for name, inner in space.spaces.items() if isinstance(inner, numbers)]
    if not usable:
        raise ConfigurationError(f"env = {env}: its observations, {space}, hold no numbers")
    return lambda one: wrappers.FlattenObservation(wrappers.FilterObservation(one, usable))


def _minigrid_wrapper(env: str, moves: str, pixels: bool) -> Callable[[Any], Any]:
    """What makes MiniGrid what is asked for; nothing of other environments.

    Raises:
        ImportError: MiniGrid is not installed.
    """
    if moves == "native" and not pixels:
        return lambda one: one
    from tem_vae.data.recorded.minigrid_moves import MOVES, in_pixels, is_minigrid

    def wrap(one: Any) -> Any:
        if not is_minigrid(one):
            asked = [f"moves = {moves}"] * (moves != "native") + ["pixels = true"] * pixels
            raise ConfigurationError(f"env = {env}: {', '.join(asked)}: for MiniGrid only, and it is none")
        one = in_pixels(one) if pixels else one
        return MOVES[moves](one) if moves != "native" else one

    return wrap


def _are_cells(positions: Array) -> bool:
    whole = np.array_equal(positions, np.round(positions))
    return (
        whole and bool((positions >= 0).all()) and bool((positions < _SIDE).all()) and positions.shape[1] == 2
    )


def _number(positions: Array) -> IntArray:
    cells = positions.astype(np.int64)
    numbers: IntArray = cells[:, 1] * _SIDE + cells[:, 0]
    return numbers


def record_walks(
    recorder: Recorder,
    path: Path,
    walks: int,
    steps: int,
    seed: int,
    advance: Callable[[int], None] = lambda steps: None,
) -> None:
    """Record walks into a file of the format of docs/data.md, which is there when it is whole.

    Args:
        recorder: Walks.
        path: The file.
        walks: How many walks.
        steps: Actions of a walk, at most.
        seed: Decides the episodes and the actions.
        advance: Called with the steps of each walk that is written.
    """
    with whole_file(path) as scratch, h5py.File(scratch.name, "w") as file:
        file.attrs["environment"] = recorder.env
        if names := recorder.action_names:
            file.attrs["action_names"] = names
        for number, walk in enumerate(recorder.record(walks, steps, seed)):
            group = file.create_group(f"walk_{number}")
            for name, values in walk.items():
                # Images are mostly alike; vectors of reals would not become smaller.
                packing = _PACKING | {"chunks": _chunks(values)} if values.dtype == np.uint8 else {}
                group.create_dataset(name, data=values, **packing)
            advance(len(walk["percepts"]))


def _chunks(values: Array) -> tuple[int, ...]:
    """Whole percepts, several together: walks are read by windows."""
    steps = max(1, _BYTES_OF_CHUNK // max(1, values[0].nbytes))
    return (min(steps, len(values)), *values.shape[1:])
