"""What a model infers from walks."""

from dataclasses import dataclass

from torch import Tensor

from tem_vae.geometry import Neighborhood
from tem_vae.model.belief import BeliefTrace
from tem_vae.model.parts import Prior


@dataclass(frozen=True)
class Inference:
    """One pass of the model over a batch of walks, all with one factorisation of E.

    Attributes:
        posterior: q(z_t | x_t), batch shape (batch, time), centered on the reference codes.
        prior: p(z_t | past), batch shape (batch, time).
        seen: False at the steps whose percept is missing, (batch, time). Their code is that of zeros: it is
            not remembered, and means nothing.
        belief: What was believed about what happened; None where recorded actions are taken for it.
    """

    posterior: Neighborhood
    prior: Prior
    seen: Tensor
    belief: BeliefTrace | None = None

    @property
    def codes(self) -> Tensor:
        """The reference codes of the percepts, (batch, time, N)."""
        return self.posterior.center

    @property
    def embedding(self) -> Tensor:
        """E, (M, N)."""
        return self.posterior.factorization.embedding
