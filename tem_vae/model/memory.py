"""The memory prior: what a walk so far leads one to expect at a location."""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood, NeighborhoodMixture
from tem_vae.geometry.precision import matmul


class NeighborhoodMemory(nn.Module, ABC):
    """What every memory made of neighborhoods has in common: weights and codes become a mixture.

    Attributes:
        null_center: c_0, the center of the null component, (N,).
        forgetting: Nats of near weight that a memory loses with every step of its age, in training.
    """

    null_center: Tensor
    forgetting: float = 0.0

    @property
    @abstractmethod
    def memory_scale(self) -> Tensor:
        """eps_m, the scale of a memory's neighborhood."""

    @property
    @abstractmethod
    def null_scale(self) -> Tensor:
        """eps_0, the scale of the null component."""

    def forward(
        self, codes: Tensor, log_weights: Tensor, factorization: Factorization
    ) -> NeighborhoodMixture:
        """The prior of every step.

        Args:
            codes: The reference codes, (batch, memories, N).
            log_weights: Memory weights in nats, (batch, time, 1 + memories), the null component first.
            factorization: Of the pseudometric in use.
        """
        memories = Neighborhood(codes, self.memory_scale, factorization, validate_args=False)
        null = Neighborhood(self.null_center, self.null_scale, factorization, validate_args=False)
        return NeighborhoodMixture(log_weights, memories, null, validate_args=False)


class MemoryPrior(NeighborhoodMemory):
    r"""A mixture of the neighborhoods of remembered codes, weighted by attention over location codes.

    .. math:: p(z_t|past) = w_{t0}\,p(z; c_0, \epsilon_0) + \sum_{s<t} w_{ts}\,p(z; c_s, \epsilon_m)

    The weights are proportional to

    .. math:: w_{t0} \propto e^{b_0 - 0.3/\lambda^2}, \qquad
              w_{ts} \propto e^{-\frac12 d^2(g_t, g_s)/\lambda^2} + e^b/(t-1),

    with :math:`d^2(g, g') = 2 - 2 g\cdot g'`. The first summand of a memory's weight says that it was made
    near this location; the second, spread evenly over all memories, that it was made in this world. Without
    it the bound would widen the kernel to borrow from elsewhere (a few visits are a poor density), and
    predictions would blur. Strictly causal: step t never sees its own percept or a later one.

    In training only, a memory may also lose ``forgetting`` nats of its near weight with every step of its
    age. Over short times an action and its opposite meet often, and longer loops cannot yet mislead: that is
    how path integration locks in. The trainer lets it fade to 0.

    Args:
        code_dim: N.
        scale: eps_q, the fixed scale of the posterior, in units of the pseudometric.
        initial_precision: First value of 1/lambda², in inverse squared units of the location pseudometric.
    """

    _null_distance = 0.6  # squared: a place is novel if nothing was remembered nearer, before b_0 has its say

    def __init__(self, code_dim: int, scale: float, initial_precision: float) -> None:
        super().__init__()
        self.scale = scale
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

    def log_weights(self, locations: Tensor) -> Tensor:
        """Log memory weights of every step of a walk, (batch, time, 1 + time), from its location codes."""
        steps = torch.arange(locations.shape[1], device=locations.device)
        age = steps.unsqueeze(-1) - steps
        near = self._nearness(locations, locations)
        if self.training and self.forgetting > 0:
            near = near - self.forgetting * age
        return self.normalize(near, past=age > 0)

    def log_weights_at(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """Log memory weights at locations after all remembered ones, (*, time, 1 + memories).

        Args:
            locations: Location codes, (*, time, 2 channels).
            remembered: Location codes of the memories, (*, memories, 2 channels).
        """
        near = self._nearness(locations, remembered)
        return self.normalize(near, past=torch.ones_like(near[..., :1, :], dtype=torch.bool))

    def _nearness(self, locations: Tensor, remembered: Tensor) -> Tensor:
        """−½ d²(g_t, g_s)/lambda², (*, time, memories)."""
        return -0.5 * self.precision * (2 - 2 * matmul(locations, remembered.mT))

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

    def normalize(self, near: Tensor, past: Tensor) -> Tensor:
        """Log memory weights, (batch, time, 1 + memories), the null component first.

        Args:
            near: Logits of having been made near the location, at most 0, (batch, time, memories). A memory
                of −inf keeps its share of the background.
            past: Whether a step may remember, boolean, broadcasts with (time, memories).
        """
        background = self.background_logit - past.sum(dim=-1, keepdim=True).clamp_min(1).log()
        logits = torch.logaddexp(near, background).masked_fill(~past, -torch.inf)
        null = self.null_logit - 0.5 * self._null_distance * self.precision
        return torch.cat([null.expand(*logits.shape[:-1], 1), logits], dim=-1).log_softmax(dim=-1)
