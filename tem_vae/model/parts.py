"""What the parts of a model must offer. A new part is a file with a module that fits its protocol here."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from torch import Tensor, nn

from tem_vae.geometry import Factorization, NeighborhoodMixture


class Location(NamedTuple):
    """Where a walk stands, relative to where it began.

    Attributes:
        phases: What the integrator adds up, (*, channels): radians, in float64 where the device has it.
        code: The location code that memories are compared by, (*, G).
    """

    phases: Tensor
    code: Tensor


class Encoder(Protocol):
    """A module from percepts (*, *percept_shape) to codes (*, N).

    Attributes:
        percept_shape: The shape of one percept.
    """

    percept_shape: tuple[int, ...]

    def __call__(self, percepts: Tensor) -> Tensor:
        """Codes of the percepts, in float32 or better."""


class Decoder(Protocol):
    """A module from embedded codes E z (*, M) to a distribution over percepts."""

    def __call__(self, embedded: Tensor) -> Tensor:
        """Expected percepts, (*, *percept_shape)."""

    def log_prob(self, percepts: Tensor, embedded: Tensor) -> Tensor:
        """Log density of the percepts in nats, (*)."""


class Integrator(Protocol):
    """A module from actions to location codes.

    Actions are numbers, (batch, time - 1), or real-valued, (batch, time - 1, A), as its world needs.
    """

    def __call__(self, actions: Tensor) -> Tensor:
        """Location codes of whole walks from their beginning, (batch, time, G)."""

    def start(self, *batch: int) -> Location:
        """Where every walk begins, (*batch)."""

    def step(self, location: Location, actions: Tensor) -> Location:
        """The location after one more action of each walk, (*batch)."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """What of it is learned; the optimiser gives it a rate of its own."""

    def check_kind(self, actions: Tensor) -> None:
        """Check the dtype and the last axes of actions. Reads no value, so nothing waits for the device.

        Raises:
            ValueError: They are none that this integrator adds up.
        """

    def check_values(self, actions: Tensor) -> None:
        """Check the values of actions. Waits for the device.

        Raises:
            ValueError: One of them is unknown.
        """


class Memory(Protocol):
    """A module from reference codes and location codes to the prior of every step.

    Attributes:
        forgetting: Nats of near weight that a memory loses with every step of its age, in training.
    """

    forgetting: float

    def __call__(
        self, codes: Tensor, log_weights: Tensor, factorization: Factorization
    ) -> NeighborhoodMixture:
        """The prior of every step.

        Args:
            codes: The reference codes, (batch, memories, N).
            log_weights: Memory weights in nats, (batch, time, 1 + memories), the null component first.
            factorization: Of the pseudometric in use.
        """

    def log_weights(self, locations: Tensor) -> Tensor:
        """Log memory weights of every step of a walk, (batch, time, 1 + time), the null component first.

        Args:
            locations: Its location codes, (batch, time, G).
        """

    def log_weights_at(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """Log memory weights at locations after all remembered ones, (*, time, 1 + memories).

        Args:
            locations: Location codes, (*, time, G).
            remembered: Location codes of the memories, (*, memories, G).
        """

    def normalize(self, near: Tensor, past: Tensor) -> Tensor:
        """Log memory weights, (batch, time, 1 + memories), from logits of nearness and what is past."""

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""


class Prediction(NamedTuple):
    """What memory leads one to expect at every step, before its percept is seen.

    Attributes:
        memory_weights: w_ts, (batch, time, time); row t is zero from column t on.
        novelty: w_t0, the weight of the null component, (batch, time).
        percepts: The decoded mode of the memory prior, (batch, time, *percept_shape).
    """

    memory_weights: Tensor
    novelty: Tensor
    percepts: Tensor
