"""What the article's figures are in theory, and the standard errors of their estimates from samples."""

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Law:
    """Moments of a probability law, and the standard errors of mean and standard deviation of its samples.

    Attributes:
        mean: The expectation.
        std: The standard deviation.
        excess_kurtosis: The excess kurtosis; 0 for a normal law.
    """

    mean: float
    std: float
    excess_kurtosis: float

    def scaled(self, factor: float) -> "Law":
        """The law of a random number of this law times a factor."""
        return Law(factor * self.mean, abs(factor) * self.std, self.excess_kurtosis)

    def error_of_mean(self, samples: int) -> float:
        r"""Standard error :math:`\sigma/\sqrt n` of the mean of n samples."""
        return self.std / math.sqrt(samples)

    def error_of_std(self, samples: int) -> float:
        r"""Standard error :math:`\frac\sigma2\sqrt{2/(n-1) + \kappa/n}` of their standard deviation."""
        return 0.5 * self.std * math.sqrt(2 / (samples - 1) + self.excess_kurtosis / samples)


def squared_distance_law(rank: int) -> Law:
    r"""The law :math:`\chi^2_M / M` of :math:`d^2/\epsilon^2` for tau → 0."""
    mean, variance, _, kurtosis = stats.chi2(rank).stats(moments="mvsk")
    return Law(float(mean), math.sqrt(variance), float(kurtosis)).scaled(1 / rank)


def distance_law(rank: int) -> Law:
    r"""The law :math:`\chi_M / \sqrt M` of :math:`d/\epsilon` for tau → 0."""
    mean, variance, _, kurtosis = stats.chi(rank).stats(moments="mvsk")
    return Law(float(mean), math.sqrt(variance), float(kurtosis)).scaled(1 / math.sqrt(rank))


def standard_log_prob_law(rank: int) -> Law:
    r"""The law of :math:`\log N(u; 0, I_M)`, in nats, for u drawn from it."""
    law = squared_distance_law(rank).scaled(-rank / 2)
    return Law(law.mean - rank / 2 * math.log(2 * math.pi), law.std, law.excess_kurtosis)


def published_mean_squared_distance(rank: int, code_dim: int) -> float:
    r"""The mean squared distance under the article's scale, :math:`\beta^2 (N/M)^2 M = M^3 / (2 N^2)`."""
    return rank**3 / (2 * code_dim**2)


def projector_diagonal_std(rank: int, code_dim: int) -> float:
    r"""Standard deviation of the diagonal of :math:`(N/M) E^\dagger E` for a large E uniform in [-1, 1].

    With :math:`e_i` a column of E and :math:`q = e_i^\top G_{-i}^{-1} e_i`, where :math:`G_{-i}` leaves that
    column out, the diagonal of the projector is :math:`q / (1 + q)`. For entries of excess kurtosis
    :math:`\kappa` (here -6/5) and :math:`\gamma = M/N`, the variance of q is :math:`\frac{M}{N^2} (\kappa (1
    - \gamma)^{-2} + 2 (1 - \gamma)^{-3})` to leading order, since :math:`G_{-i}^{-1}` has mean diagonal
    :math:`1/(1-\gamma)` and mean squared eigenvalue :math:`1/(1-\gamma)^3` in units of the entries' variance
    times N (Marchenko-Pastur).
    """
    ratio, kurtosis = rank / code_dim, -6 / 5
    return math.sqrt((2 * (1 - ratio) + kurtosis * (1 - ratio) ** 2) / rank)


def projector_identity_gap(rank: int, code_dim: int) -> float:
    r"""Mean absolute entry of :math:`(N/M) P - I_N` for a random projector P of rank M, to leading order.

    :math:`\sum_{ij} P_{ij}^2 = M` leaves the off-diagonal entries of :math:`(N/M) P` the variance :math:`(N/M
    - 1) / (N - 1)`; they are near normal, with mean absolute value :math:`\sqrt{2/\pi}` deviations.
    """
    return math.sqrt(2 / math.pi * (code_dim / rank - 1) / (code_dim - 1))
