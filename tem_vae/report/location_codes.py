"""What path integration learned: the phases of actions, drift in closed loops, the map of a world."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data import Walks
from tem_vae.model import MemoryPrior, TemVae
from tem_vae.report.table import BoolArray, Table, flatten_array

_LENGTHS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
_LOOPS = 200
# Half a radian a loop: after six of them a channel says nothing about place.
JUNK_RESIDUAL = 0.5


@dataclass(frozen=True)
class ActionPhases:
    """The rotation of every channel by every action, and whether rotations cancel where the world says so.

    Attributes:
        names: Of the actions.
        phases: Omega in (−pi, pi], radians, (actions, channels).
        loops: Actions that lead back to where they began: a pair of opposites, or one that stays.
        residuals: |Sum of their rotations| modulo 2 pi, radians, (loops, channels).
    """

    names: tuple[str, ...]
    phases: FloatArray
    loops: tuple[tuple[int, ...], ...]
    residuals: FloatArray

    @property
    def worst_residual(self) -> FloatArray:
        """The largest residual of each channel, radians, (channels,); 0 where no loop is known."""
        worst: FloatArray = self.residuals.max(axis=0, initial=0.0)
        return worst

    @property
    def junk(self) -> BoolArray:
        """Channels in which some loop leaves more than half a radian, (channels,)."""
        return self.worst_residual > JUNK_RESIDUAL

    @property
    def opposites(self) -> list[tuple[int, int]]:
        """The pairs among the loops."""
        return [(loop[0], loop[1]) for loop in self.loops if len(loop) == 2]

    def tables(self) -> list[Table]:
        """Rotations, and residuals where there are loops."""
        channels = self.phases.shape[1]
        columns = {"channel": np.arange(channels)}
        for name, phases in zip(self.names, self.phases, strict=True):
            columns[f"{name} (rad)"] = phases
        for loop, residual in zip(self.loops, self.residuals, strict=True):
            columns[f"residual {'+'.join(self.names[a] for a in loop)} (rad)"] = residual
        return [Table("action_phases", columns)]


@dataclass(frozen=True)
class LoopDrift:
    """How far the location code is from where it began after loops that end where they began.

    Distances are those of the location pseudometric, at most 2.

    Attributes:
        lengths: Actions in a loop, (lengths,).
        distances: Of all channels, (lengths, loops).
        sound: The same of the channels that are no junk; NaN if all are, (lengths, loops).
        bandwidth: lambda, the width of the memory kernel; None for a prior without memory.
        one_step: Mean distance between neighboring places.
    """

    lengths: IntArray
    distances: FloatArray
    sound: FloatArray
    bandwidth: float | None
    one_step: float

    def tables(self) -> list[Table]:
        """Every loop."""
        length, loop = np.indices(self.distances.shape).reshape(2, -1)
        columns = {
            "loop length (actions)": self.lengths[length],
            "loop": loop,
            "drift, all channels": self.distances.ravel(),
            "drift, channels that cancel": self.sound.ravel(),
        }
        return [Table("loop_drift", columns)]


@dataclass(frozen=True)
class WorldMap:
    """The mean location code of every place, seen along its two main directions.

    Attributes:
        positions: Of the places, in link lengths, (places, 2).
        coordinates: Principal components of the codes, (places, 2).
        links: Pairs of places between which the walk moved, (links, 2).
        explained: Share of the variance along each of the two directions, (2,).
    """

    positions: FloatArray
    coordinates: FloatArray
    links: IntArray
    explained: FloatArray

    def tables(self) -> list[Table]:
        """Every place, and every link."""
        return [
            Table(
                "location_codes_pca",
                {
                    "x (links)": self.positions[:, 0],
                    "y (links)": self.positions[:, 1],
                    "first component": self.coordinates[:, 0],
                    "second component": self.coordinates[:, 1],
                },
            ),
            flatten_array("location_codes_links", self.links, ("link", "end"), "row of location_codes_pca"),
        ]


@torch.no_grad()
def measure_action_phases(model: TemVae, walks: Walks, names: Sequence[str]) -> ActionPhases:
    """Read off what each action adds, and find from the walks which actions ought to cancel.

    Args:
        model: The model.
        walks: Show where every action leads.
        names: Of the actions.
    """
    integrator = model.integrator
    actions = torch.arange(len(names))
    turned = integrator.step(integrator.start(len(names)), actions).phases.double()
    phases = wrap(turned.numpy())
    loops = find_loops(walks, len(names))
    residuals = [np.abs(wrap(phases[list(loop)].sum(axis=0))) for loop in loops]
    return ActionPhases(tuple(names), phases, loops, np.array(residuals).reshape(len(loops), phases.shape[1]))


def wrap(angle: FloatArray) -> FloatArray:
    """Angles in radians, brought into (−pi, pi]."""
    wrapped: FloatArray = np.pi - np.remainder(np.pi - angle, 2 * np.pi)
    return wrapped


def find_loops(walks: Walks, n_actions: int) -> tuple[tuple[int, ...], ...]:
    """Pairs of actions that always led back when one followed the other, then actions that always stayed."""
    places, actions = walks.known("places").numpy(), walks.actions.numpy()
    stays = places[:, 1:] == places[:, :-1]
    staying = [a for a in range(n_actions) if _always(stays[actions == a])]
    returns = places[:, 2:] == places[:, :-2]
    first, second = actions[:, :-1], actions[:, 1:]
    moving = [a for a in range(n_actions) if a not in staying]
    pairs = [
        (a, b)
        for a, b in itertools.combinations_with_replacement(moving, 2)
        if _always(returns[((first == a) & (second == b)) | ((first == b) & (second == a))])
    ]
    return (*pairs, *((a,) for a in staying))


def _always(outcomes: BoolArray) -> bool:
    return len(outcomes) > 0 and bool(outcomes.all())


@torch.no_grad()
def measure_drift(model: TemVae, phases: ActionPhases, rng: np.random.Generator) -> LoopDrift | None:
    """Walk random loops: as many actions there as back, in any order.

    Returns:
        The drift; None if no two actions are known to be opposite.
    """
    pairs = np.array(phases.opposites)
    if not len(pairs):
        return None
    memory, sound = model.memory, torch.from_numpy(~phases.junk)
    drifts = []
    for length in _LENGTHS:
        halves = pairs[rng.integers(len(pairs), size=(_LOOPS, length // 2))]
        loops = rng.permuted(halves.reshape(_LOOPS, length), axis=1)
        codes = model.integrator(torch.from_numpy(loops))
        drifts.append(_channel_distance(codes[:, -1], codes[:, 0]))
    squared = torch.stack(drifts)
    moves = torch.from_numpy(pairs.reshape(-1, 1))
    step = model.integrator(moves)
    return LoopDrift(
        lengths=np.array(_LENGTHS),
        distances=squared.mean(dim=-1).sqrt().numpy(),
        sound=squared[..., sound].mean(dim=-1).sqrt().numpy(),
        bandwidth=float(memory.precision) ** -0.5 if isinstance(memory, MemoryPrior) else None,
        one_step=float(_channel_distance(step[:, 1], step[:, 0]).mean(dim=-1).sqrt().mean()),
    )


def _channel_distance(codes: Tensor, others: Tensor) -> Tensor:
    """Squared distance on the circle of each channel, whose mean is that of the codes, (*, channels)."""
    channels = codes.shape[-1] // 2
    squared = (codes.double() - others.double()).square() * channels
    return squared[..., :channels] + squared[..., channels:]


@torch.no_grad()
def map_world(model: TemVae, walks: Walks, index: int) -> WorldMap | None:
    """The world of one walk as its location codes have it.

    Returns:
        The map; None if the walk saw fewer than three places, which always lie on a line.
    """
    codes = model.integrator(walks.actions[index : index + 1])[0].double().numpy()
    places, first, inverse = np.unique(
        walks.known("places")[index].numpy(), return_index=True, return_inverse=True
    )
    if len(places) < 3:
        return None
    sums = np.zeros((len(places), codes.shape[1]))
    np.add.at(sums, inverse, codes)
    means = sums / np.bincount(inverse)[:, None]
    U, sigma, _ = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    ends = np.sort(np.column_stack([inverse[:-1], inverse[1:]]), axis=1)
    links = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0)
    explained = sigma[:2] ** 2 / max(float((sigma**2).sum()), np.finfo(float).tiny)
    positions = walks.known("positions")[index].double().numpy()[first]
    return WorldMap(positions, (U * sigma)[:, :2], links, explained)
