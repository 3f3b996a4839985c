"""From an embedded code E z back to a percept."""

import math
from abc import ABC, abstractmethod

from torch import Tensor, nn

from tem_vae.model.parts import Likelihood


class PerceptDecoder(nn.Module, ABC):
    """A distribution over percepts computed from E z, and from E z only.

    The component of z in ker E is a deterministic copy of the input that costs no KL: a decoder that saw it
    would leak the percept round the bound.

    Args:
        percept_shape: The shape of one percept.
        likelihood: The density of a percept, given what `outputs` says of it.
    """

    def __init__(self, percept_shape: tuple[int, ...], likelihood: Likelihood) -> None:
        super().__init__()
        self.percept_shape = percept_shape
        self.likelihood = likelihood

    @abstractmethod
    def outputs(self, embedded: Tensor) -> Tensor:
        """What the likelihood is given: a number for each of a percept, (*, M) -> (*, *percept_shape)."""

    def forward(self, embedded: Tensor) -> Tensor:
        """Expected percepts, (*, M) -> (*, *percept_shape), in the dtype of the embedded codes."""
        return self.likelihood.mean(self.outputs(embedded))

    def log_prob(self, percepts: Tensor, embedded: Tensor) -> Tensor:
        """Log density of the percepts in nats, all constants included, (*).

        Args:
            percepts: (*, *percept_shape), as the likelihood allows them.
            embedded: (*, M); broadcasts.
        """
        axes = -len(self.percept_shape)
        return self.likelihood.log_prob(percepts.flatten(axes), self.outputs(embedded).flatten(axes))


class MlpDecoder(PerceptDecoder):
    """One hidden layer.

    Args:
        rank: M, the dimension of E z.
        hidden_dim: Width of the hidden layer.
        percept_shape: The shape of one percept.
        likelihood: The density of a percept.
    """

    def __init__(
        self, rank: int, hidden_dim: int, percept_shape: tuple[int, ...], likelihood: Likelihood
    ) -> None:
        super().__init__(percept_shape, likelihood)
        self.layers = nn.Sequential(
            nn.Linear(rank, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, math.prod(percept_shape))
        )

    def outputs(self, embedded: Tensor) -> Tensor:
        """What the likelihood is given, (*, M) -> (*, *percept_shape)."""
        percepts: Tensor = self.layers(embedded)
        return percepts.reshape(*percepts.shape[:-1], *self.percept_shape).to(embedded.dtype)
