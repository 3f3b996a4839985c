"""From an embedded code E z back to a percept."""

import math

from torch import Tensor, nn


class MlpDecoder(nn.Module):
    """A Gaussian of fixed deviation around a percept computed from E z, and from E z only.

    The component of z in ker E is a deterministic copy of the input that costs no KL: a decoder that saw it
    would leak the percept round the bound. The deviation is fixed because a learned one chases what is
    irrelevant in the percepts.

    Args:
        rank: M, the dimension of E z.
        hidden_dim: Width of the hidden layer.
        percept_shape: The shape of one percept.
        noise: The deviation of a percept feature, in units of standardised percepts.
    """

    def __init__(self, rank: int, hidden_dim: int, percept_shape: tuple[int, ...], noise: float) -> None:
        super().__init__()
        self.percept_shape = percept_shape
        self.noise = noise
        self.layers = nn.Sequential(
            nn.Linear(rank, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, math.prod(percept_shape))
        )

    def forward(self, embedded: Tensor) -> Tensor:
        """Expected percepts, (*, M) -> (*, *percept_shape), in the dtype of the embedded codes."""
        percepts: Tensor = self.layers(embedded)
        return percepts.reshape(*percepts.shape[:-1], *self.percept_shape).to(embedded.dtype)

    def log_prob(self, percepts: Tensor, embedded: Tensor) -> Tensor:
        r"""Log density of the percepts in nats, all constants included, (*).

        .. math:: \log p(x|z) = -\frac{\lVert x - \mu(Ez)\rVert^2}{2\sigma^2} - \frac P2\log(2\pi\sigma^2)
        """
        error: Tensor = (percepts - self(embedded)).flatten(-len(self.percept_shape))
        log_normaliser = 0.5 * error.shape[-1] * math.log(2 * math.pi * self.noise**2)
        log_prob: Tensor = -0.5 * error.square().sum(dim=-1) / self.noise**2 - log_normaliser
        return log_prob
