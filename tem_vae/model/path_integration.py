"""Path integration: from actions to location codes, by rotations that add."""

import math

import torch
from torch import Tensor, nn

from tem_vae.geometry.precision import matmul, matrix_dtype
from tem_vae.model.parts import Location


class PathIntegrator(nn.Module):
    """Every action rotates every channel of a torus by an angle of its own, free to learn.

    theta_{t+1} = theta_t + Omega(a_t). No inverse, zero or geometry of an action is built in: that up undoes
    down, that staying does nothing, that two paths meet, must be found in the walks. The location code is
    (cos theta, sin theta)/√channels, (*, 2 channels), of norm 1.

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

        Rotations add, so a phase is how often each action was taken, times its rotation, in float64 where the
        device has it: many rotations may add up to one of many turns.
        """
        rotations = self.rotations.to(matrix_dtype(actions.device))
        taken = torch.nn.functional.one_hot(actions.long(), len(rotations)).cumsum(dim=1)
        times = torch.nn.functional.pad(taken, (0, 0, 1, 0)).to(rotations)
        return locate(matmul(times, rotations), self.rotations.dtype).code

    def start(self, *batch: int) -> Location:
        """Where every walk begins, (*batch): all phases 0."""
        device, dtype = self.rotations.device, self.rotations.dtype
        return locate(torch.zeros(*batch, self.channels, dtype=matrix_dtype(device), device=device), dtype)

    def step(self, location: Location, actions: Tensor) -> Location:
        """The location after one more action of each walk, actions of shape (*batch)."""
        return locate(location.phases + self.rotations[actions], self.rotations.dtype)

    def check_kind(self, actions: Tensor) -> None:
        """Check that actions can be numbers of rows; bytes and booleans would be taken for masks.

        Raises:
            ValueError: They are neither torch.int64 nor torch.int32, or more than one number a step.
        """
        if actions.dtype not in (torch.int64, torch.int32):
            raise ValueError(
                f"actions are whole numbers, in torch.int64 or torch.int32, but are in {actions.dtype}."
            )
        if actions.ndim > 2:
            raise ValueError(
                "actions are one number a step, (batch, time - 1), but their shape is "
                f"{tuple(actions.shape)}."
            )

    def check_values(self, actions: Tensor) -> None:
        """Check that every action has a row of Omega. Waits for the device.

        Raises:
            ValueError: One is below 0 or not below ``n_actions``.
        """
        last = len(self.rotations) - 1
        wrong = actions[(actions < 0) | (actions > last)]
        if len(wrong):
            raise ValueError(f"actions are whole numbers from 0 to {last}, but one is {int(wrong[0])}.")

    def batch_of(self, actions: Tensor) -> torch.Size:
        """The walks that single actions are of, which are numbers, (*batch)."""
        return actions.shape


def locate(phases: Tensor, dtype: torch.dtype) -> Location:
    """The point of the torus with the given phases, (*, channels); its code is in the given dtype."""
    whole = (phases.detach() / (2 * math.pi)).round_()  # turns; half the time of a remainder
    angle = torch.add(phases, whole, alpha=-2 * math.pi).to(dtype)
    return Location(phases, torch.cat([angle.cos(), angle.sin()], dim=-1) / math.sqrt(phases.shape[-1]))
