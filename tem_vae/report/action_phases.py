"""What each action adds to the phases of location codes, and which actions ought to cancel."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tem_vae.arrays import BoolArray, FloatArray
from tem_vae.data import Walks
from tem_vae.model import TemVae
from tem_vae.report.table import Table

# Of a channel that cancels, radians. With more, it says nothing about place after six loops.
LARGEST_RESIDUAL = 0.5


@dataclass(frozen=True)
class ActionPhases:
    """The rotation of every channel by every action, and what rotations leave that ought to cancel.

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
    def cancels(self) -> BoolArray:
        """Channels in which every loop leaves half a radian or less, (channels,)."""
        return self.worst_residual <= LARGEST_RESIDUAL

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
