"""Drift of path integration: how far a walker is from where it started after walking out and back."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from tem_vae.model import Integrator


def out_and_back(actions: Tensor, opposites: Mapping[int, int]) -> Tensor:
    """The same actions and then, in reverse, what undoes them, (batch, steps) -> (batch, 2 steps).

    An action that nothing undoes is left out, by staying where the walker is.
    """
    n_actions = int(actions.max()) + 1
    known = torch.tensor([action in opposites for action in range(n_actions)], device=actions.device)
    undo = torch.tensor([opposites.get(action, 0) for action in range(n_actions)], device=actions.device)
    out = torch.where(known[actions], actions, 0)
    return torch.cat([out, undo[out].flip(-1)], dim=-1)


@torch.no_grad()
def phase_drift(integrator: Integrator, actions: Tensor) -> Tensor:
    """Mean absolute phase between start and end of a walk, radians; π/2 if nothing is left of the start.

    Args:
        integrator: Of the model.
        actions: Walks that end where they began, (batch, steps).
    """
    location = integrator.start(len(actions))
    origin = location.phases
    for step in actions.T:
        location = integrator.step(location, step)
    return wrap_phases(location.phases - origin).abs().mean()


def wrap_phases(phases: Tensor) -> Tensor:
    """Angles in radians, brought into [−π, π)."""
    return torch.remainder(phases + math.pi, 2 * math.pi) - math.pi
