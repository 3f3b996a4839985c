"""The terms of the evidence lower bound, and the importance-weighted bound made of them."""

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class ElboTerms:
    """The bound on log p(x_1..x_T | actions), percept by percept, in nats with all constants.

    Attributes:
        reconstruction: log p(x_t | z_t), (*samples, batch, time).
        log_prior: log p(z_t | past), on the quotient R^N / ker E.
        log_posterior: log q(z_t | x_t), on the same.
    """

    reconstruction: Tensor
    log_prior: Tensor
    log_posterior: Tensor

    @property
    def kl(self) -> Tensor:
        """One-sample estimate of KL(q(z_t|x_t) ‖ p(z_t|past)), nats per percept."""
        return self.log_posterior - self.log_prior

    @property
    def elbo(self) -> Tensor:
        """The bound: log p(x_t|z_t) + log p(z_t|past) − log q(z_t|x_t), nats per percept."""
        return self.reconstruction - self.kl


def importance_weighted_bound(log_ratios: Tensor) -> Tensor:
    r"""A tighter bound from K samples, nats per percept, (K, batch, time) -> (batch, time).

    .. math:: \log \frac1K \sum_k \frac{p(x_t|z_{tk})\,p(z_{tk}|past)}{q(z_{tk}|x_t)}

    (Burda, Grosse & Salakhutdinov 2015, arXiv:1509.00519), for each factor of the chain rule on its own: the
    memory holds reference codes, which do not depend on the samples.

    Args:
        log_ratios: The one-sample bounds `ElboTerms.elbo`, in nats.
    """
    return log_ratios.logsumexp(dim=0) - math.log(len(log_ratios))
