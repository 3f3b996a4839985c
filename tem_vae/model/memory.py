"""The memory prior: what a walk so far leads one to expect at a location."""

import math

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood
from tem_vae.geometry.precision import matmul, matrix_dtype
from tem_vae.model.nearness import Nearness
from tem_vae.model.prototypes import Emission, Prototypes, without_prototypes
from tem_vae.model.walk_prior import WalkPrior, log_memory_weights, novelty

# Nats so many that nothing is left of a weight, in float64 either.
_INFINITY = 1000.0


class MemoryPrior(nn.Module):
    r"""What was remembered near a location is expected there again: attention over location codes.

    .. math:: p(z_t|past) = w_{t0}\,p_0(z_t) + \sum_{s<t} w_{ts}\,p(z_t | s)

    where a novel place shows p_0, and the place of memory s shows neighborhoods of its own code and of the
    prototypes that are seen at one place with it: see `Emission`.

    The weights are proportional to

    .. math:: w_{t0} \propto e^{b_0 - 0.3/\lambda^2}, \qquad
              w_{ts} \propto e^{-\frac12 d^2(g_t, g_s)/\lambda^2} + e^b/(t-1),

    with :math:`d^2(g, g') = 2 - 2 g\cdot g'`. The first summand of a memory's weight says that it was made
    near this location; the second, spread evenly over all memories' own neighborhoods, that it was made in
    this world. Without it the bound would widen the kernel to borrow from elsewhere (a few visits are a poor
    density), and predictions would blur. Strictly causal: step t never sees its own percept or a later one.
    A step whose percept is missing is no memory: it is left out of the sum, and t − 1 does not count it.

    In training only, a memory may also lose ``forgetting`` nats of its near weight with every step of its
    age. Over short times an action and its opposite meet often, and longer loops cannot yet mislead: that is
    how path integration locks in. The trainer sets it.

    Args:
        code_dim: N.
        scale: eps_q, the fixed scale of the posterior, in units of the pseudometric.
        initial_precision: First value of 1/lambda², in inverse squared units of the location pseudometric.
        prototypes: How many reference codes are learned; with 0 a memory tells of its own neighborhood only,
            and one neighborhood stands for novel places.

    Attributes:
        prototypes: The learned reference codes; None where there are none.
        forgetting: Nats of near weight that a memory loses with every step of its age, in training.
    """

    forgetting: float = 0.0
    _null_distance = 0.6  # squared: a place is novel if nothing was remembered nearer, before b_0 has its say

    def __init__(self, code_dim: int, scale: float, initial_precision: float, prototypes: int) -> None:
        super().__init__()
        self.scale = scale
        self.prototypes = Prototypes(prototypes, code_dim) if prototypes else None
        if self.prototypes is None:
            self.null_center = nn.Parameter(torch.zeros(code_dim))
        self.log_precision = nn.Parameter(torch.tensor(math.log(initial_precision)))
        self.null_logit = nn.Parameter(torch.tensor(0.0))
        self.background_logit = nn.Parameter(torch.tensor(-2.0))
        # Wider than the posterior, and much wider for a novel place, where the percept may be anything.
        self.log_memory_scale_ratio = nn.Parameter(torch.tensor(0.3))
        self.log_null_scale_ratio = nn.Parameter(torch.tensor(1.5))

    @property
    def memory_scale(self) -> Tensor:
        """eps_m."""
        return self.scale * self.log_memory_scale_ratio.exp()

    @property
    def null_scale(self) -> Tensor:
        """eps_0."""
        return self.scale * self.log_null_scale_ratio.exp()

    def forward(
        self, locations: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor
    ) -> WalkPrior:
        """The prior of every step of walks.

        Args:
            locations: Location codes, (batch, time, 2 channels).
            codes: The reference codes, (batch, time, N).
            factorization: Of the pseudometric in use.
            seen: False at the steps that are not remembered, (batch, time).
        """
        # −½ d²(g_t, g_s)/lambda² = (g_t · g_s − 1)/lambda².
        near = Nearness(self.precision * locations, locations, -self.precision)
        if self.training and self.forgetting > 0:
            near = near.forget(self.forgetting)
        return self._prior(near, codes, factorization, seen)

    def at_places(
        self, places: Tensor, codes: Tensor, factorization: Factorization, seen: Tensor
    ) -> WalkPrior:
        """The prior at distance 0 from memories of the same place and infinity from all others.

        Args:
            places: Numbers of places, (batch, time).
            codes: The reference codes, (batch, time, N).
            factorization: Of the pseudometric in use.
            seen: False at the steps that are not remembered, (batch, time).
        """
        digits = _signed_digits(places).to(matrix_dtype(codes.device))
        near = Nearness(
            0.5 * _INFINITY * digits, digits, -0.5 * _INFINITY * digits.new_tensor(digits.shape[-1])
        )
        return self._prior(near, codes, factorization, seen)

    def _prior(self, near: Nearness, codes: Tensor, factorization: Factorization, seen: Tensor) -> WalkPrior:
        components = Neighborhood(codes, self.memory_scale, factorization, validate_args=False)
        return WalkPrior(
            near,
            self.background_logit,
            self._null_weight,
            components,
            self._emit(components.whitened_center, factorization),
            seen,
        )

    def _emit(self, whitened: Tensor, factorization: Factorization) -> Emission:
        """What may be perceived where codes, given by their whitened coordinates, were remembered."""
        if self.prototypes is None:
            return without_prototypes(self.null_center, self.null_scale, whitened, factorization)
        emission: Emission = self.prototypes(whitened, self.null_scale, factorization)
        return emission

    def null(self, factorization: Factorization) -> Neighborhood:
        """The neighborhood that stands for novel places where a prediction is decoded, batch shape ()."""
        nothing = self.log_precision.new_zeros(1, 0, factorization.rank)
        return self._emit(nothing, factorization).null

    def novelty(self, log_null: Tensor, counts: Tensor) -> Tensor:
        """The probability that a place is new, (*).

        Args:
            log_null: Log weight of the null component, (*).
            counts: How often each memory was remembered, (*, memories).
        """
        remembered = counts.sum(dim=-1) > 0
        return novelty(log_null, remembered, self.background_logit, self._null_weight)

    def nearness(self, products: Tensor) -> Tensor:
        """e^{−d²/2lambda²} of location codes by their products g · g', (*)."""
        return (self.precision * (products - 1)).exp()

    def log_weights_at(self, locations: Tensor, remembered: Tensor, counts: Tensor) -> Tensor:
        """Log memory weights at locations after all remembered ones, (*, time, 1 + memories).

        Args:
            locations: Location codes, (*, time, 2 channels).
            remembered: Location codes of the memories, (*, memories, 2 channels).
            counts: How often each was remembered, (*, memories).
        """
        near = self.precision * (matmul(locations, remembered.mT) - 1)
        return log_memory_weights(near, counts.unsqueeze(-2), self.background_logit, self._null_weight)

    @property
    def precision(self) -> Tensor:
        """1/lambda²."""
        return self.log_precision.exp()

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return {
            "neighborhood/posterior_scale": torch.tensor(self.scale),
            "neighborhood/memory_scale": self.memory_scale,
            "neighborhood/null_scale": self.null_scale,
            "memory/precision": self.precision,
            "memory/background_logit": self.background_logit,
            "memory/null_logit": self.null_logit,
        }

    @property
    def _null_weight(self) -> Tensor:
        """The logit of the null component, b_0 − 0.3/lambda²."""
        return self.null_logit - 0.5 * self._null_distance * self.precision


def _signed_digits(numbers: Tensor) -> Tensor:
    """Whole numbers in binary, with digits −1 and 1, (*) -> (*, digits): two of them differ in some digit."""
    numbers = numbers - numbers.min()
    digits = torch.arange(int(numbers.max()).bit_length(), device=numbers.device)
    return 2 * (numbers.unsqueeze(-1) >> digits & 1) - 1
