"""Path integration of real-valued actions: phases that a linear map of the action adds to."""

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, factorize
from tem_vae.geometry.precision import matmul, matrix_dtype
from tem_vae.model.parts import Location
from tem_vae.model.path_integration import locate


class LinearIntegrator(nn.Module):
    """Every action v, a vector such as a velocity, turns every channel of a torus by W v.

    theta_{t+1} = theta_t + W v_t. What is built in beyond numbered actions is that an action twice as large
    turns twice as far and that its negative turns back. Which way and how far each channel turns, must be
    found in the walks. The location code is (cos theta, sin theta)/√channels, (*, 2 channels), of norm 1.

    Args:
        action_dim: A, the numbers of an action.
        channels: D, the circles of the torus.
        initial_scale: Deviation of the first draw of W, in radians per unit of an action.
    """

    def __init__(self, action_dim: int, channels: int, initial_scale: float) -> None:
        super().__init__()
        self.channels = channels
        self.turning = nn.Parameter(initial_scale * torch.randn(channels, action_dim))

    def forward(self, actions: Tensor) -> Tensor:
        """Location codes of whole walks, (batch, time - 1, A) -> (batch, time, 2 channels).

        Turns add, so a phase is W times the sum of the actions, in float64 where the device has it: small
        actions may add up to one of many turns.
        """
        exact = matrix_dtype(actions.device)
        displacement = torch.nn.functional.pad(actions.to(exact).cumsum(dim=1), (0, 0, 1, 0))
        return locate(matmul(displacement, self.turning.to(exact).mT), self.turning.dtype).code

    def start(self, *batch: int) -> Location:
        """Where every walk begins, (*batch): all phases 0."""
        device, dtype = self.turning.device, self.turning.dtype
        return locate(torch.zeros(*batch, self.channels, dtype=matrix_dtype(device), device=device), dtype)

    def step(self, location: Location, actions: Tensor) -> Location:
        """The location after one more action of each walk, actions of shape (*batch, A)."""
        exact = location.phases.dtype
        turn = matmul(actions.to(exact), self.turning.to(exact).mT)
        return locate(location.phases + turn, self.turning.dtype)

    def factorize(self) -> Factorization:
        """Of W⁺, (A, channels), which takes phases to actions: by it noise of actions is one of phases."""
        turning = self.turning.to(matrix_dtype(self.turning.device))
        return factorize(torch.linalg.pinv(turning), tau=0.0)

    def check_kind(self, actions: Tensor) -> None:
        """Check that actions can be vectors of A numbers.

        Raises:
            ValueError: They are no floating-point numbers, or not A of them a step.
        """
        action_dim = self.turning.shape[1]
        if not actions.is_floating_point():
            raise ValueError(
                f"actions are vectors of {action_dim} numbers, in torch.float32 or torch.float64, but are in "
                f"{actions.dtype}."
            )
        if not actions.ndim or actions.shape[-1] != action_dim:
            raise ValueError(
                f"the last axis of actions must hold the {action_dim} numbers of one, but their shape is "
                f"{tuple(actions.shape)}."
            )

    def check_values(self, actions: Tensor) -> None:
        """Check that every action is finite. Waits for the device.

        Raises:
            ValueError: One is not.
        """
        wrong = actions[~actions.isfinite()]
        if len(wrong):
            raise ValueError(f"actions must be finite, but one holds {float(wrong[0])}.")

    def batch_of(self, actions: Tensor) -> torch.Size:
        """The walks that single actions are of, (*batch, A) -> (*batch)."""
        return actions.shape[:-1]
