"""What each action adds to the phases of location codes, and which actions should cancel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tem_vae.arrays import BoolArray, FloatArray
from tem_vae.model import TemVae
from tem_vae.report.table import Table
from tem_vae.scores.drift import wrap_phases
from tem_vae.worlds import STAY

# Of a channel that cancels, radians. With more, it says nothing about place after six loops.
LARGEST_RESIDUAL = 0.5


@dataclass(frozen=True)
class ActionPhases:
    """The rotation of every channel by every action, and the remainder of rotations that should cancel.

    Attributes:
        names: Of the actions.
        phases: Omega in [−pi, pi), radians, (actions, channels).
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
def measure_action_phases(model: TemVae, names: Sequence[str], opposites: Mapping[int, int]) -> ActionPhases:
    """Measure the rotation by each action, and the remainder of rotations that should cancel.

    Args:
        model: The model.
        names: Of the actions.
        opposites: For each action the one that always undoes it.
    """
    integrator = model.integrator
    actions = torch.arange(len(names))
    turned = integrator.step(integrator.start(len(names)), actions).phases.double()
    phases = wrap_phases(turned)
    loops = find_loops(names, opposites)
    residuals = [wrap_phases(phases[list(loop)].sum(dim=0)).abs().numpy() for loop in loops]
    table = np.array(residuals).reshape(len(loops), phases.shape[1])
    return ActionPhases(tuple(names), phases.numpy(), loops, table)


def find_loops(names: Sequence[str], opposites: Mapping[int, int]) -> tuple[tuple[int, ...], ...]:
    """Pairs of actions that undo each other, in order, then the action that stays, if there is one.

    Example:
        >>> find_loops(["stay", "left", "right"], {0: 0, 1: 2, 2: 1})
        ((1, 2), (0,))
    """
    staying = [action for action, name in enumerate(names) if name == STAY]
    mutual = [
        (first, second)
        for first, second in sorted(opposites.items())
        if first <= second and opposites.get(second) == first and first not in staying
    ]
    return (*mutual, *((action,) for action in staying))
