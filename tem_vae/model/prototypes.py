"""What percepts look like anywhere, and what one percept at a place tells about the next one there."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood
from tem_vae.geometry.precision import matmul, significant

_FIRST_DEVIATION = 0.1  # of centers: small beside the spread of codes, so that all prototypes are of use
_FIRST_STAY = 5.0  # nats: at first the next percept at a place is of the same prototype, almost surely
_FIRST_LOG_SHARPNESS = -1.0  # a prototype is not sure of its own from the start


class Emission(NamedTuple):
    r"""What may be perceived at a place, before and after something was perceived there.

    At a novel place a code is drawn from :math:`\sum_j \pi_j N_j`; at the place of memory s from

    .. math:: \rho\,N(z; c_s, \epsilon_m) + (1 - \rho) \sum_j R_{sj} N_j(z).

    Attributes:
        prototypes: N_j, neighborhoods of one scale, batch shape (J,).
        log_shares: log π_j, (J,).
        expected: R_sj, the shares of prototypes in what is perceived next at the place of each step,
            (batch, time, J).
        log_own: log ρ, ().
        log_other: log (1 − ρ), ().
    """

    prototypes: Neighborhood
    log_shares: Tensor
    expected: Tensor
    log_own: Tensor
    log_other: Tensor

    def beginning(self, steps: int) -> "Emission":
        """Of the first steps of every walk."""
        return self._replace(expected=self.expected[:, :steps])

    @property
    def null(self) -> Neighborhood:
        """One neighborhood with the mean and the mean squared spread of the novel place's mixture."""
        shares, prototypes = self.log_shares.exp(), self.prototypes
        center, whitened = shares @ prototypes.center, prototypes.whitened_center
        spread = shares @ (whitened - shares @ whitened).square().mean(dim=-1)
        scale = (prototypes.scale[0].square() + spread).sqrt()
        return Neighborhood(center, scale, prototypes.factorization, validate_args=False)


class Prototypes(nn.Module):
    r"""Learned reference codes n_j that stand for kinds of percepts, as pseudo-inputs of a VampPrior do.

    A mixture of their neighborhoods is the density of what a novel place shows (Tomczak & Welling 2018,
    arXiv:1705.07120). A percept whose code is c belongs to prototype i with share

    .. math:: r_i(c) \propto \pi_i\, e^{-\kappa \lVert w(c) - w(n_i)\rVert^2 / 2\epsilon_0^2},

    and the next one at the same place is of prototype j with probability :math:`\sum_i r_i(c)\,T_{ij}`. So
    it is learned which percepts show one thing twice: two drawings of a digit may be far apart.

    Args:
        count: J.
        code_dim: N.
    """

    def __init__(self, count: int, code_dim: int) -> None:
        super().__init__()
        self.centers = nn.Parameter(_FIRST_DEVIATION * torch.randn(count, code_dim))
        self.share_logits = nn.Parameter(torch.zeros(count))
        self.transition_logits = nn.Parameter(_FIRST_STAY * torch.eye(count))
        self.log_sharpness = nn.Parameter(torch.tensor(_FIRST_LOG_SHARPNESS))
        self.own_logit = nn.Parameter(torch.tensor(0.0))

    def forward(self, whitened: Tensor, scale: Tensor, factorization: Factorization) -> Emission:
        """What may be perceived where codes were remembered, and at novel places.

        Args:
            whitened: Whitened codes w(c), (batch, time, M).
            scale: eps_0.
            factorization: Of the pseudometric in use.
        """
        prototypes = Neighborhood(self.centers, scale.expand(len(self.centers)), factorization, False)
        log_shares = self.share_logits.log_softmax(dim=-1)
        belongs = self._belongs(whitened, prototypes.whitened_center, scale, log_shares)
        expected = matmul(belongs, self.transition_logits.softmax(dim=-1))
        own = nn.functional.logsigmoid(self.own_logit)
        return Emission(prototypes, log_shares, expected, own, nn.functional.logsigmoid(-self.own_logit))

    def _belongs(self, whitened: Tensor, centers: Tensor, scale: Tensor, log_shares: Tensor) -> Tensor:
        """r_i(c), (batch, time, J): softmax does not see what all distances have in common."""
        origin = centers.mean(dim=0)  # near it, products of coordinates are accurate
        whitened, centers = whitened - origin, centers - origin
        sharpness = self.log_sharpness.exp() / scale.square()
        offset = log_shares - 0.5 * sharpness * centers.square().sum(dim=-1)
        return significant((matmul(whitened, (sharpness * centers).mT) + offset).softmax(dim=-1))


def without_prototypes(
    center: Tensor, scale: Tensor, whitened: Tensor, factorization: Factorization
) -> Emission:
    """One neighborhood for novel places; a memory tells of its own neighborhood only.

    Args:
        center: Of the neighborhood, (N,).
        scale: eps_0.
        whitened: Whitened codes of the walks, (batch, time, M).
        factorization: Of the pseudometric in use.
    """
    null = Neighborhood(center.unsqueeze(0), scale.unsqueeze(0), factorization, validate_args=False)
    zero = torch.zeros_like(scale)
    return Emission(null, zero.unsqueeze(0), torch.ones_like(whitened[..., :1]), zero, zero - torch.inf)
