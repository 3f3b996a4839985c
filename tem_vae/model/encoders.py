"""From a percept to its code."""

import math

import torch.nn.functional as F
from torch import Tensor, nn


class MlpEncoder(nn.Module):
    """One hidden layer, then normalisation to squared norm N: the gauge of the codes.

    Args:
        percept_shape: The shape of one percept; images are read as vectors.
        hidden_dim: Width of the hidden layer.
        code_dim: N, the dimension of a code.
    """

    def __init__(self, percept_shape: tuple[int, ...], hidden_dim: int, code_dim: int) -> None:
        super().__init__()
        self.percept_shape = percept_shape
        self.code_dim = code_dim
        self.layers = nn.Sequential(
            nn.Linear(math.prod(percept_shape), hidden_dim), nn.GELU(), nn.Linear(hidden_dim, code_dim)
        )

    def forward(self, percepts: Tensor) -> Tensor:
        """Codes of mean 0 and squared norm N, (*, *percept_shape) -> (*, N), in float32 or better."""
        code: Tensor = self.layers(percepts.flatten(-len(self.percept_shape)))
        return F.layer_norm(code, (self.code_dim,)).to(percepts.dtype)


class IdentityEncoder(nn.Module):
    """The standardised percept is its own code; what matters in it is left to the pseudometric.

    Args:
        percept_shape: The shape of one percept, with as many features as a code has, N.
    """

    def __init__(self, percept_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.percept_shape = percept_shape
        self.code_dim = math.prod(percept_shape)

    def forward(self, percepts: Tensor) -> Tensor:
        """The percepts themselves, (*, N)."""
        return percepts.flatten(-len(self.percept_shape))
