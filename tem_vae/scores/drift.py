"""Drift of path integration: how far a walker is from where it started after walking out and back."""

import math

import numpy as np
import torch
from torch import Tensor

from tem_vae.data import Worlds
from tem_vae.model import PathIntegrator
from tem_vae.worlds import NO_LINK


def opposite_actions(worlds: Worlds) -> dict[int, int]:
    """For each action the one that undoes it, wherever it leads; actions that nothing always undoes lack.

    Example:
        In a rectangular lattice up undoes down, and staying undoes itself.
    """
    n_actions = worlds.destinations.shape[-1]
    pairs = ((a, b) for a in range(n_actions) for b in range(n_actions) if _undoes(worlds, a, b))
    return dict(reversed(list(pairs)))


def out_and_back(actions: Tensor, opposites: dict[int, int]) -> Tensor:
    """The same actions and then, in reverse, what undoes them, (batch, steps) -> (batch, 2 steps).

    An action that nothing undoes is left out, by staying where the walker is.
    """
    n_actions = int(actions.max()) + 1
    known = torch.tensor([action in opposites for action in range(n_actions)], device=actions.device)
    undo = torch.tensor([opposites.get(action, 0) for action in range(n_actions)], device=actions.device)
    out = torch.where(known[actions], actions, 0)
    return torch.cat([out, undo[out].flip(-1)], dim=-1)


@torch.no_grad()
def phase_drift(integrator: PathIntegrator, actions: Tensor) -> Tensor:
    """Mean absolute phase between start and end of a walk, radians; π/2 if nothing is left of the start.

    Args:
        integrator: Of the model.
        actions: Walks that end where they began, (batch, steps).
    """
    location = integrator.start(len(actions))
    origin = location.phases
    for step in actions.T:
        location = integrator.step(location, step)
    turned = location.phases - origin
    return (torch.remainder(turned + math.pi, 2 * math.pi) - math.pi).abs().mean()


def _undoes(worlds: Worlds, action: int, other: int) -> bool:
    """Whether one action leads back wherever another led, and that was somewhere."""
    out = worlds.destinations[..., action]
    inside = np.arange(out.shape[1]) < worlds.sizes[:, None]
    row, place = np.nonzero((out != NO_LINK) & inside)
    back = worlds.destinations[row, out[row, place], other]
    return len(row) > 0 and bool((back == place).all())
