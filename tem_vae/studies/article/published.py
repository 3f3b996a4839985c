r"""The functions of the article as it published them, kept for comparison only.

The article ("Building Pseudometrics -- Embedding Case", https://github.com/hypernicon/tree-world) draws
samples near a point, where "near" is measured by a learned, rank-deficient pseudometric. This module has its
formulas one by one, the right and the wrong, under the article's own names. Each docstring says what is right
and what is wrong. The article computes some products sample by sample; here they are matrix products, which
are faster and give the same numbers.

Only comparisons import this module. The correct formulas are in :mod:`tem_vae.geometry`. They are derived in
`docs/mathematics.md`, and `docs/article/report.md` compares the two.

Throughout, :math:`E` is (M, N) with M <= N and :math:`\beta = \frac{\sqrt 2}{2} (M/N)^2` is the article's
scale.
"""

import math
import warnings

import torch
from torch import Tensor, nn

__all__ = [
    "EmbeddedLowRankGaussian",
    "PseudoMetric",
    "rank_deficient_logdet",
    "rank_deficient_logprob",
    "rank_deficient_logprob_from_reference",
    "rank_deficient_pseudometric",
    "sample_rank_deficient_pseudometric",
    "sample_rank_deficient_pseudometric_from_reference",
    "stable_left_inverse",
]


def _scale(rank: int, code_dim: int) -> float:
    return math.sqrt(2) / 2 * (rank / code_dim) ** 2


def rank_deficient_pseudometric(x1: Tensor, x2: Tensor, E: Tensor, squared: bool = False) -> Tensor:
    r"""The pseudodistance :math:`\lVert E (x_1 - x_2) \rVert`.

    Right: the value. Wrong: where ``x1`` and ``x2`` agree, the square root has a NaN gradient.

    Args:
        x1: points, (*, N).
        x2: points, (*, N).
        E: embedding matrix, (M, N).
        squared: whether to leave out the square root.

    Returns:
        Distances, (*).
    """
    squared_distance = ((x1 - x2) @ E.mT).square().sum(dim=-1)
    return squared_distance if squared else squared_distance.sqrt()


def stable_left_inverse(E: Tensor, tau: float = 1e-3, suppress_warnings: bool = False) -> Tensor:
    r"""The regularised inverse :math:`E^\dagger \propto (E^\top E + \tau I_N)^{-1} E^\top`, rebalanced.

    Right: the matrix, up to its factor. It is a *right* inverse: :math:`E E^\dagger \propto I_M` for
    :math:`\tau \to 0`. The product :math:`E^\dagger E` is a projector of rank M, and does not approximate
    :math:`I_N`.

    Wrong: it solves an N×N system, though an M×M system gives the same matrix. It does so in float32 whatever
    the dtype of ``E``, and in float32 that system is singular for small ``tau``. It divides by the mean
    diagonal of :math:`E^\dagger E`, which is near M/N, so that :math:`E E^\dagger` is about :math:`(N/M)
    I_M`. Below M = N/100 it does not divide, and warns, so the factor jumps there.

    Args:
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser.
        suppress_warnings: whether to keep silent where the diagonal is too small to rebalance.

    Returns:
        The inverse, (N, M), in the dtype of ``E``.
    """
    Ef = E.float()
    identity = torch.eye(E.shape[1], device=E.device, dtype=torch.float32)
    inverse: Tensor = torch.linalg.solve(Ef.mT @ Ef + tau * identity, Ef.mT)
    mean_diagonal = (inverse @ Ef).diagonal().abs().mean()
    if mean_diagonal > 1e-2:
        inverse = inverse / mean_diagonal
    elif not suppress_warnings:
        message = f"diagonal average {mean_diagonal:.3g} is too small; left inverse may be unstable"
        warnings.warn(message, stacklevel=2)
    return inverse.to(E.dtype)


def sample_rank_deficient_pseudometric(E_dagger: Tensor, sample_shape: tuple[int, ...] = ()) -> Tensor:
    r"""Samples :math:`z = \beta E^\dagger u` round the origin, :math:`u \sim N(0, I_M)`.

    Right: the direction of the noise. Wrong: :math:`\beta`; the mean squared distance from the origin is
    :math:`M^3 / (2 N^2)` for small tau, which is 1 only where :math:`M^3 = 2 N^2`, as at the article's M =
    128 and N = 1024.

    Args:
        E_dagger: the rebalanced inverse, (N, M).
        sample_shape: shape of the sample.

    Returns:
        Samples, (*sample_shape, N).
    """
    code_dim, rank = E_dagger.shape
    u = torch.randn((*sample_shape, rank), device=E_dagger.device, dtype=E_dagger.dtype)
    return _scale(rank, code_dim) * (u @ E_dagger.mT)


def rank_deficient_logdet(E: Tensor, tau: float = 1e-3) -> Tensor:
    r"""The log-determinant :math:`\frac12 \log\det(E^\top E / \beta^2 + \tau I_N)`.

    Wrong: the N×N matrix has N - M eigenvalues equal to tau, so the value is :math:`\frac12 (N - M) \log
    \tau` plus the M×M part. In float32 those eigenvalues are lost in rounding noise, and the result is noise
    or NaN. The M×M part alone, :math:`\frac12 \log\det(E E^\top / \beta^2)`, would still lack the factor
    N/M of the rebalanced inverse, that is :math:`M \log(N/M)`. The true log-volume needs M×M matrices in
    float64.

    Args:
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser, here added to another matrix than in the inverse.

    Returns:
        The log-determinant in nats, ().
    """
    rank, code_dim = E.shape
    Ef = E.float()
    identity = torch.eye(code_dim, device=E.device, dtype=torch.float32)
    return 0.5 * torch.logdet(Ef.mT @ Ef / _scale(rank, code_dim) ** 2 + tau * identity)


def _standard_log_prob(u: Tensor) -> Tensor:
    return -0.5 * u.square().sum(dim=-1) - u.shape[-1] / 2 * math.log(2 * math.pi)


def _recover(difference: Tensor, E: Tensor | None) -> Tensor:
    if E is None:
        raise ValueError("neither E nor u was given; pass u as the sampler returned it, or E to recover it")
    rank, code_dim = E.shape
    return math.sqrt(2) * (code_dim / rank) * (difference @ E.mT)


def rank_deficient_logprob(
    z: Tensor, logdet_E: Tensor, E: Tensor | None = None, u: Tensor | None = None
) -> Tensor:
    r"""The log-probability :math:`\log N(u; 0, I) - \mathrm{logdet}_E` of a sample round the origin.

    Right: linear in the squared distance; the slope, :math:`-(N/M)^2`, is :math:`-M/2` only where :math:`M^3
    = 2 N^2`. Wrong: the log-volume of the map from z to u must be added, not subtracted; and :math:`u = \sqrt
    2 (N/M) E z` undoes the sampler only for :math:`\tau \to 0`, since it forgets the shrinkage.

    Args:
        z: samples, (*, N); not read where ``u`` is given.
        logdet_E: what :func:`rank_deficient_logdet` returns, ().
        E: embedding matrix, (M, N), to recover ``u``.
        u: the noise that made ``z``, (*, M).

    Returns:
        Log-probabilities in nats, (*).

    Raises:
        ValueError: if neither ``E`` nor ``u`` is given.
    """
    if u is None:
        u = _recover(z, E)
    return _standard_log_prob(u) - logdet_E


def sample_rank_deficient_pseudometric_from_reference(
    z0: Tensor, scale: float | Tensor, E_dagger: Tensor, sample_shape: tuple[int, ...] = ()
) -> tuple[Tensor, Tensor]:
    r"""Samples :math:`z = z_0 + \epsilon \beta E^\dagger u` round a reference point.

    Right: distances are proportional to the scale. Wrong: :math:`\beta`, as in
    :func:`sample_rank_deficient_pseudometric`.

    Args:
        z0: reference points, broadcasting with (*sample_shape, N).
        scale: :math:`\epsilon`, a number or (*sample_shape).
        E_dagger: the rebalanced inverse, (N, M).
        sample_shape: shape of the sample.

    Returns:
        Samples (*sample_shape, N) and the noise that made them (*sample_shape, M).
    """
    code_dim, rank = E_dagger.shape
    if isinstance(scale, Tensor) and scale.ndim > 0:
        scale = scale[..., None]
    u = torch.randn((*sample_shape, rank), device=E_dagger.device, dtype=E_dagger.dtype)
    return z0 + (_scale(rank, code_dim) * scale * u) @ E_dagger.mT, u


def rank_deficient_logprob_from_reference(
    z: Tensor,
    logdet_E: Tensor,
    z0: Tensor,
    scale: float | Tensor,
    E: Tensor | None = None,
    u: Tensor | None = None,
) -> Tensor:
    r"""The log-probability :math:`\log N(u; 0, I) - \mathrm{logdet}_E / \epsilon^2` round a reference point.

    Wrong, beyond what :func:`rank_deficient_logprob` says: a change of scale multiplies an M-dimensional
    volume by :math:`\epsilon^M`, so it enters as :math:`-M \log \epsilon`; and with one scale per sample the
    last term is (S, 1) against (S), so that the result is (S, S).

    Args:
        z: samples, (*, N); not read where ``u`` is given.
        logdet_E: what :func:`rank_deficient_logdet` returns, ().
        z0: reference points, broadcasting with ``z``.
        scale: :math:`\epsilon`, a number or (*).
        E: embedding matrix, (M, N), to recover ``u``.
        u: the noise that made ``z``, (*, M).

    Returns:
        Log-probabilities in nats, (*) where ``scale`` is a number.

    Raises:
        ValueError: if neither ``E`` nor ``u`` is given.
    """
    if isinstance(scale, Tensor) and scale.ndim > 0:
        scale = scale[..., None]
    if u is None:
        u = _recover(z - z0, E) / scale
    return _standard_log_prob(u) - logdet_E / scale**2


class EmbeddedLowRankGaussian:
    r"""The distribution that the article ends with: sampler and log-probability of one centre and scale.

    The published class derives from :class:`torch.distributions.Distribution`, but does not do what such a
    class must: it declares no ``arg_constraints``, and ``sample`` returns a pair. So this one is a plain
    class. It is right and wrong where the functions that it calls are.

    Args:
        center: reference points, (*, N).
        scale: :math:`\epsilon`, a number or (*).
        E: embedding matrix, (M, N).
        tau: Tikhonov regulariser.
    """

    def __init__(self, center: Tensor, scale: float | Tensor, E: Tensor, tau: float = 1e-3) -> None:
        self.center = center
        self.scale = scale
        self.E = E
        self.E_dagger = stable_left_inverse(E, tau)
        self.logdet_E = rank_deficient_logdet(E, tau)

    def sample(self) -> tuple[Tensor, Tensor]:
        """One sample for each centre.

        Returns:
            Samples (*, N) and the noise that made them (*, M).
        """
        shape = tuple(self.center.shape[:-1])
        return sample_rank_deficient_pseudometric_from_reference(
            self.center, self.scale, self.E_dagger, shape
        )

    def log_prob(self, z: Tensor, u: Tensor | None = None) -> Tensor:
        """Log-probabilities in nats, (*), of samples (*, N); without ``u`` it is recovered from ``z``."""
        return rank_deficient_logprob_from_reference(z, self.logdet_E, self.center, self.scale, E=self.E, u=u)


class PseudoMetric(nn.Module):
    r"""The module that the article ends with: a linear map without bias whose weight is :math:`E`.

    Right: the distance. Wrong: the weight starts as :class:`torch.nn.Linear` draws it, so that the metric's
    unit depends on N: the singular values are near :math:`1/\sqrt 3` and ``tau`` counts far more than for the
    article's uniform E.

    Args:
        vector_dim: N, dimension of the codes.
        metric_rank: M, rank of the metric.
    """

    def __init__(self, vector_dim: int, metric_rank: int) -> None:
        super().__init__()
        self.metric = nn.Linear(vector_dim, metric_rank, bias=False)

    def pseudo_distance(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (*) between points (*, N) and (*, N)."""
        return rank_deficient_pseudometric(a, b, self.metric.weight)

    def build_distribution_from_center(
        self, center: Tensor, scale: float | Tensor, tau: float = 1e-3
    ) -> EmbeddedLowRankGaussian:
        """The neighbourhood of each centre (*, N) at a scale."""
        return EmbeddedLowRankGaussian(center, scale, self.metric.weight, tau)
