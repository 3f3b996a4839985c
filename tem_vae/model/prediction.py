"""What a model expects of walks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from tem_vae.model.belief import BeliefTrace
from tem_vae.model.parts import Prior


@dataclass(frozen=True, eq=False)
class Prediction:
    """What memory leads one to expect at every step, before its percept is seen.

    Attributes:
        prior: What it was drawn from. It weighs values of all memories, or finds the heaviest, without the
            (batch, time, time) array that `memory_weights` is.
        novelty: The probability that the place is new, (batch, time).
        percepts: The decoded mode of the memory prior, (batch, time, *percept_shape).
        belief: What was believed about what happened; None where recorded actions were taken for it.
    """

    prior: Prior
    novelty: Tensor
    percepts: Tensor
    belief: BeliefTrace | None = None

    @cached_property
    def memory_weights(self) -> Tensor:
        """w_ts, (batch, time, time); row t is zero from column t on."""
        with torch.no_grad():
            return self.prior.log_weights[..., 1:].exp()

    def __iter__(self) -> Iterator[Tensor]:
        """Memory weights, novelty and percepts, to unpack."""
        return iter((self.memory_weights, self.novelty, self.percepts))
