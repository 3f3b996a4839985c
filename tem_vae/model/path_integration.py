"""Path integration: from actions to location codes, by rotations that add."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tem_vae.geometry.precision import matrix_dtype


class Location(NamedTuple):
    """Where a walk stands on the torus, relative to where it began.

    Attributes:
        phases: theta in radians, (*, channels), in float64 where the device has it.
        code: (cos theta, sin theta)/√channels, (*, 2 channels), of norm 1.
    """

    phases: Tensor
    code: Tensor


class PathIntegrator(nn.Module):
    """Every action rotates every channel of a torus by an angle of its own, free to learn.

    theta_{t+1} = theta_t + Omega(a_t). No inverse, zero or geometry of an action is built in: that up undoes
    down, that staying does nothing, that two paths meet, must be found in the walks.

    Args:
        n_actions: Rows of Omega.
        channels: D, the circles of the torus.
        initial_rotation: Deviation of the first draw of Omega, in radians.
    """

    def __init__(self, n_actions: int, channels: int, initial_rotation: float) -> None:
        super().__init__()
        self.channels = channels
        self.rotations = nn.Parameter(initial_rotation * torch.randn(n_actions, channels))

    def forward(self, actions: Tensor) -> Tensor:
        """Location codes of whole walks from their beginning, (batch, time - 1) -> (batch, time, 2 channels).

        Phases are summed in float64 where the device has it: a rounding error would stay in the sum for the
        rest of the walk.
        """
        steps = self.rotations.to(matrix_dtype(actions.device))[actions]
        start = steps.new_zeros(len(steps), 1, self.channels)
        return self.locate(torch.cat([start, steps.cumsum(dim=1)], dim=1)).code

    def start(self, batch: int) -> Location:
        """Where every walk begins: all phases 0."""
        device = self.rotations.device
        return self.locate(torch.zeros(batch, self.channels, dtype=matrix_dtype(device), device=device))

    def step(self, location: Location, actions: Tensor) -> Location:
        """The location after one more action of each walk, actions of shape (batch,)."""
        return self.locate(location.phases + self.rotations[actions])

    def locate(self, phases: Tensor) -> Location:
        """The point of the torus with the given phases, (*, channels)."""
        angle = torch.remainder(phases, 2 * math.pi).to(self.rotations.dtype)
        return Location(phases, torch.cat([angle.cos(), angle.sin()], dim=-1) / math.sqrt(self.channels))
