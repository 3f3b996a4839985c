"""What the parts of a model must offer. A new part is a file with a module that fits its protocol here."""

from typing import Protocol

from torch import Tensor

from tem_vae.geometry import Factorization, NeighborhoodMixture


class Encoder(Protocol):
    """A module from percepts (*, percept_dim) to codes (*, N).

    Attributes:
        percept_dim: Features of a percept.
    """

    percept_dim: int

    def __call__(self, percepts: Tensor) -> Tensor:
        """Codes of the percepts."""


class Decoder(Protocol):
    """A module from embedded codes E z (*, M) to a distribution over percepts."""

    def __call__(self, embedded: Tensor) -> Tensor:
        """Expected percepts, (*, percept_dim)."""

    def log_prob(self, percepts: Tensor, embedded: Tensor) -> Tensor:
        """Log density of the percepts in nats, (*)."""


class Memory(Protocol):
    """A module from reference codes (batch, memories, N) and log weights to the prior of every step.

    Attributes:
        forgetting: Nats of near weight that a memory loses with every step of its age, in training.
    """

    forgetting: float

    @property
    def memory_scale(self) -> Tensor:
        """eps_m, the scale of a memory's neighborhood."""

    @property
    def null_scale(self) -> Tensor:
        """eps_0, the scale of the null component."""

    def __call__(
        self, codes: Tensor, log_weights: Tensor, factorization: Factorization
    ) -> NeighborhoodMixture:
        """The prior of every step."""

    def attend(self, locations: Tensor) -> Tensor:
        """Log memory weights of every step of a walk, (batch, time, 1 + time), the null component first."""

    def recall(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """Log memory weights at locations after all remembered ones, (*, time, 1 + memories)."""

    def weigh(self, near: Tensor, past: Tensor) -> Tensor:
        """Log memory weights, (batch, time, 1 + memories), from logits of nearness and what is past."""
