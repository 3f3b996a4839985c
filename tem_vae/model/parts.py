"""What the parts of a model must offer. A new part is a file with a module that fits its protocol here."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood


class Location(NamedTuple):
    """Where a walk stands, relative to where it began.

    Attributes:
        phases: What the integrator adds up, (*, channels): radians, in float64 where the device has it.
        code: The location code that memories are compared by, (*, G).
    """

    phases: Tensor
    code: Tensor

    def rows(self, index: Tensor) -> "Location":
        """Of a table of locations, (batch, n), some by their numbers, (batch, *m)."""
        return Location(take_rows(self.phases, index), take_rows(self.code, index))


def take_rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows (batch, n, *D) by their numbers, (batch, *m) -> (batch, *m, *D); faster than a gather."""
    flat = index.flatten(1)
    first = torch.arange(0, table.shape[0] * table.shape[1], table.shape[1], device=table.device)
    taken = table.flatten(0, 1).index_select(0, (flat + first.unsqueeze(1)).flatten())
    return taken.view(*index.shape, *table.shape[2:])


class Encoder(Protocol):
    """A module from percepts (*, *percept_shape) to codes (*, N).

    Attributes:
        percept_shape: The shape of one percept: (features,) of a vector, (rows, columns) of a grey image,
            (channels, rows, columns) of a colour one. Images with the channels last, as Gymnasium has them,
            are turned where they are read: see `tem_vae.data.open_recording`.
    """

    percept_shape: tuple[int, ...]

    def __call__(self, percepts: Tensor) -> Tensor:
        """Codes of the percepts, in float32 or better."""


class Likelihood(Protocol):
    """A module: the density of a percept of P numbers, given P numbers that a decoder says of it."""

    def mean(self, outputs: Tensor) -> Tensor:
        """Expected percepts, of the shape of what the decoder says."""

    def log_prob(self, percepts: Tensor, outputs: Tensor) -> Tensor:
        """Log density in nats, all constants included, (*, P), (*, P) -> (*)."""

    def check_values(self, percepts: Tensor) -> None:
        """Check that percepts have a density; NaN stands for a missing one. Waits for the device.

        Raises:
            ValueError: A number has none.
        """


class Decoder(Protocol):
    """A module from embedded codes E z (*, M) to a distribution over percepts.

    Attributes:
        likelihood: The density of a percept.
    """

    likelihood: Likelihood

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
        """The location after one more action of each walk, (*batch) or (*batch, A)."""

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

    def batch_of(self, actions: Tensor) -> torch.Size:
        """The batch shape of single actions, (*batch) or (*batch, A)."""


class Prior(Protocol):
    """p(z_t | past) of every step of walks, batch shape (batch, time).

    Nothing of it takes memory that grows with the square of time, except for `log_weights`.
    """

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density in nats of codes, (*samples, batch, time, N) -> (*samples, batch, time)."""

    def log_prob_whitened(self, w: Tensor) -> Tensor:
        """`log_prob` of codes given by their whitened coordinates, (*samples, batch, time, M)."""

    @property
    def mode(self) -> Tensor:
        """A code of high density at every step, (batch, time, N)."""

    @property
    def novelty(self) -> Tensor:
        """The probability that a place is new, (batch, time)."""

    @property
    def log_weights(self) -> Tensor:
        """Log memory weights of every step, (batch, time, 1 + time), the null component first."""

    @property
    def heaviest(self) -> Tensor:
        """The remembered step of greatest weight at every step, (batch, time); 0 where there is none."""

    def weigh(self, values: Tensor) -> Tensor:
        """Σ_s w_ts v_s, (batch, time, D), for values of every step, (batch, time, D)."""

    def beginning(self, steps: int) -> "Prior":
        """Of the first steps of every walk: no step depends on a later one."""


class Memory(Protocol):
    """A module from location codes and reference codes to the prior of every step.

    Attributes:
        forgetting: Nats of near weight that a memory loses with every step of its age, in training.
    """

    forgetting: float

    @property
    def memory_scale(self) -> Tensor:
        """eps_m, the scale of a memory's neighborhood."""

    @property
    def precision(self) -> Tensor:
        """1/lambda², how much memories at different location codes are told apart."""

    def __call__(self, locations: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor) -> Prior:
        """The prior of every step of walks.

        Args:
            locations: Location codes, (batch, time, G).
            codes: The reference codes, (batch, time, N).
            factorization: Of the pseudometric in use.
            seen: False at the steps that are not remembered, since their percept is missing, (batch, time).
        """

    def at_places(self, places: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor) -> Prior:
        """The prior if places were known: at distance 0 from memories of the same place, else infinity.

        Args:
            places: Numbers of places, (batch, time).
            codes: The reference codes, (batch, time, N).
            factorization: Of the pseudometric in use.
            seen: False at the steps that are not remembered, (batch, time).
        """

    def null(self, factorization: Factorization) -> Neighborhood:
        """The neighborhood that stands for novel places where a prediction is decoded, batch shape ()."""

    def novelty(self, log_null: Tensor, counts: Tensor) -> Tensor:
        """The probability that a place is new, (*).

        Args:
            log_null: Log weight of the null component, (*).
            counts: How often each memory was remembered, (*, memories).
        """

    def nearness(self, products: Tensor) -> Tensor:
        """How near location codes are, from 0 to 1, by their products g · g', (*)."""

    def log_weights_at(self, locations: Tensor, remembered: Tensor, counts: Tensor) -> Tensor:
        """Log memory weights at locations after all remembered ones, (*, time, 1 + memories).

        Args:
            locations: Location codes, (*, time, G).
            remembered: Location codes of the memories, (*, memories, G).
            counts: How often each was remembered, (*, memories); one of 0 is no memory and has no weight.
        """

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
