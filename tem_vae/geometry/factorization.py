"""One factorisation of the embedding E per forward pass: M×M work only, shared by every neighborhood."""

import math
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from tem_vae.geometry.lazy import GradientModes, lazy_tensor
from tem_vae.geometry.precision import matmul, matrix_dtype, working_dtype


class RankDeficientError(ValueError):
    """E has too few independent rows for what was asked of it."""


@dataclass(frozen=True, eq=False)
class Factorization:
    """What the geometry needs of E (M, N) and tau, each piece computed at most once. Made by `factorize`.

    With G = E Eᵀ, the right inverse is E† = Eᵀ(G + tau I)⁻¹, the shrinkage S = E E†, the calibration
    beta = 1/‖S‖_F. Nothing N×N is ever formed. Every piece carries gradients to E. A factorisation describes
    the E it was made from: make a fresh one for every forward pass and never keep it across updates.

    Internally E = c Ê with c a power of two and max|Ê| in [½, 1), and G + tau I = (c²/a) A with
    A = a Ĝ + (1 − a) I, 1/a = 1 + tau/c². The constants c and a cancel from whatever they might overflow.

    Example:
        >>> E = torch.eye(2, 3)
        >>> factorization = factorize(E, tau=1.0)
        >>> torch.allclose(factorization.right_inverse, E.T / 2)
        True
        >>> round(factorization.calibration.item(), 4)
        1.4142
        >>> u = torch.ones(5, 2)
        >>> torch.allclose(factorization.whiten(factorization.spread(u)), u)
        True
    """

    tau: float
    dtype: torch.dtype
    _magnitude: float = field(repr=False)
    _unit: Tensor = field(repr=False)
    _gram: Tensor = field(repr=False)
    _root: Tensor = field(repr=False)
    _modes: GradientModes = field(default_factory=GradientModes.current, repr=False)

    @property
    def rank(self) -> int:
        """The metric rank M."""
        return self._unit.shape[0]

    @property
    def code_dim(self) -> int:
        """The code dimension N."""
        return self._unit.shape[1]

    @lazy_tensor
    def embedding(self) -> Tensor:
        """E, (M, N), as it was when it was factorised."""
        return (self._unit * self._magnitude).to(self.dtype)

    @lazy_tensor
    def right_inverse(self) -> Tensor:
        """E† = Eᵀ(G + tau I)⁻¹ = (EᵀE + tau I)⁻¹Eᵀ, (N, M)."""
        factor = self._inverse * (self._gram_share / self._magnitude)
        return matmul(factor, self._unit).mT.to(self.dtype)

    @lazy_tensor
    def shrinkage(self) -> Tensor:
        """S = E E† = (G + tau I)⁻¹G, (M, M), in float64 where the device has it."""
        return self._gram_share * self._unit_shrinkage

    @lazy_tensor
    def calibration(self) -> Tensor:
        """1/‖S‖_F, which makes the mean squared distance of a neighborhood equal its squared scale."""
        return 1 / (self._gram_share * self._shrinkage_norm)

    @lazy_tensor
    def log_volume(self) -> Tensor:
        """Log volume of the map u -> beta E†u in nats: M log beta + ½ logdet G − logdet(G + tau I).

        In float64 where the device has it.

        Raises:
            RankDeficientError: E has fewer than M independent rows; the volume is 0.
        """
        log_det_gram = -2 * self._gram_root.diagonal().log().sum()
        log_det_regularised = -2 * self._root.diagonal().log().sum()
        per_axis = -self._shrinkage_norm.log() - math.log(self._magnitude)
        return self.rank * per_axis + 0.5 * log_det_gram - log_det_regularised

    @lazy_tensor
    def whitening(self) -> Tensor:
        """S⁻¹E/beta, (M, N): the linear map from codes to whitened coordinates.

        Its singular values are (sigma + tau/sigma)/beta for the singular values sigma of E.

        Raises:
            RankDeficientError: E has fewer than M independent rows; S has no inverse.
        """
        factor = torch.eye(self.rank, dtype=self._unit.dtype, device=self._unit.device)
        if self.tau > 0:
            gram_share, ridge_share = _shares(self.tau, self._magnitude)
            factor = gram_share * factor + ridge_share * matmul(self._gram_root.mT, self._gram_root)
        return matmul(factor * (self._shrinkage_norm * self._magnitude), self._unit).to(self.dtype)

    @lazy_tensor
    def spreading(self) -> Tensor:
        """Beta E†, (N, M): the linear map from standard normal u to displacements of a code."""
        factor = self._inverse / (self._shrinkage_norm * self._magnitude)
        return matmul(factor, self._unit).mT.to(self.dtype)

    def whiten(self, z: Tensor) -> Tensor:
        """Whitened coordinates w(z) = S⁻¹E z/beta, (*, N) -> (*, M).

        Raises:
            RankDeficientError: E has fewer than M independent rows.
        """
        return matmul(z, self.whitening.mT)

    def spread(self, u: Tensor) -> Tensor:
        """Displacements beta E†u, (*, M) -> (*, N)."""
        return matmul(u, self.spreading.mT)

    @cached_property
    def condition_number(self) -> float:
        """sigma_max/sigma_min of E; infinite where sigma_min is 0."""
        return _condition_number(_singular_values(self._unit))

    @property
    def _gram_share(self) -> float:
        return _shares(self.tau, self._magnitude)[0]

    @lazy_tensor
    def _unit_shrinkage(self) -> Tensor:
        """A⁻¹Ĝ = S/a; exactly I for tau = 0."""
        if self.tau == 0:
            return torch.eye(self.rank, dtype=self._gram.dtype, device=self._gram.device)
        return matmul(self._inverse, self._gram)

    @lazy_tensor
    def _shrinkage_norm(self) -> Tensor:
        norm: Tensor = torch.linalg.matrix_norm(self._unit_shrinkage)
        return norm

    @lazy_tensor
    def _inverse(self) -> Tensor:
        """A⁻¹."""
        return matmul(self._root.mT, self._root)

    @lazy_tensor
    def _gram_root(self) -> Tensor:
        """R with Ĝ⁻¹ = RᵀR."""
        if self.tau == 0:
            return self._root
        root = _inverse_root(self._gram)
        if root is None:
            raise RankDeficientError(
                f"{_describe_deficiency(self._unit, self.tau)}. Neighborhoods of this E can be sampled, but "
                "their log density, KL and whitened coordinates do not exist, whatever tau. "
                "Use a smaller metric rank, or start from a weight with independent rows."
            )
        return root


def factorize(E: Tensor, tau: float) -> Factorization:
    """Factorise the embedding E (M, N), 1 <= M <= N, with Tikhonov regulariser tau >= 0.

    The cost is one M×M Gram matrix and one Cholesky factorisation, in float64 where the device has it and
    whatever autocast says. E in half precision is promoted to float32.

    Raises:
        ValueError: E is no finite real (M, N) matrix with 1 <= M <= N, or tau is negative or not finite.
        RankDeficientError: G + tau I is singular to working precision.
    """
    largest = _check_arguments(E, tau)
    magnitude = math.ldexp(1.0, math.frexp(largest)[1])
    exact = matrix_dtype(E.device)
    unit = E.to(exact) / magnitude
    gram = matmul(unit, unit.mT)
    gram_share, ridge_share = _shares(tau, magnitude)
    regularised = gram_share * gram + ridge_share * torch.eye(len(gram), dtype=exact, device=E.device)
    root = _inverse_root(regularised)
    if root is None or largest == 0:
        raise RankDeficientError(
            f"{_describe_deficiency(unit, tau)}, and E Eᵀ + tau I is singular to working precision. "
            "Use a smaller metric rank, or start from a weight with independent rows; where only samples are "
            "needed and E is not 0, a larger tau will do."
        )
    return Factorization(float(tau), working_dtype(E), magnitude, unit, gram, root)


def check_regulariser(tau: float) -> None:
    """Refuse a tau that is no Tikhonov regulariser.

    Raises:
        ValueError: tau is negative or not finite.
    """
    if not (math.isfinite(tau) and tau >= 0):
        raise ValueError(f"tau must be finite and >= 0, but it is {tau}.")


def _check_arguments(E: Tensor, tau: float) -> float:
    """max|E|, after E and tau were found valid."""
    if E.ndim != 2 or not 1 <= E.shape[0] <= E.shape[1]:
        raise ValueError(
            f"E must be a matrix (M, N) with 1 <= M <= N, but its shape is {tuple(E.shape)}; "
            "choose a metric rank M no larger than the code dimension N."
        )
    if not E.is_floating_point():
        raise ValueError(f"E must be real floating point, but its dtype is {E.dtype}; convert it first.")
    check_regulariser(tau)
    largest: float = torch.linalg.vector_norm(E.detach(), ord=math.inf).item()
    if not math.isfinite(largest):
        raise ValueError(
            "E must be finite, but it has NaN or infinite entries; "
            "look for a diverged update (learning rate, gradient clipping)."
        )
    return largest


def _shares(tau: float, magnitude: float) -> tuple[float, float]:
    """The weights (c²/(c² + tau), tau/(c² + tau)) of Ĝ and I in A, without overflow for any c and tau."""
    if tau == 0:
        return 1.0, 0.0
    return 1 / (1 + tau / magnitude / magnitude), 1 / (1 + magnitude / tau * magnitude)


def _inverse_root(gram: Tensor) -> Tensor | None:
    """Lower triangular R with G⁻¹ = RᵀR by way of Cholesky, or None where G is singular to rounding.

    G_ii (G⁻¹)_ii = 1/sin² of the angle between row i and the span of the other rows. Their sum is the squared
    ‖Ē⁺‖_F of the rows at unit length: a test of rank that no row's length can fool.
    """
    factor, info = torch.linalg.cholesky_ex(gram)
    eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    root: Tensor = torch.linalg.solve_triangular(factor, eye, upper=False)
    squared_inverse = (root.detach().square() * gram.detach().diagonal()).sum()
    regular = (info == 0) & (squared_inverse < _largest_squared_inverse(gram.dtype))
    return root if regular.item() else None


def _largest_squared_inverse(dtype: torch.dtype) -> float:
    """Beyond this ‖Ē⁺‖_F², rounding of the Gram matrix swamps its smallest eigenvalue.

    In float64 it is 2⁴²: a row within 2⁻²¹ rad of the span of the others, which is also what is left of a
    linear dependence after E was rounded to float32.
    """
    return 1 / (1024 * torch.finfo(dtype).eps)


def _describe_deficiency(unit: Tensor, tau: float) -> str:
    M, N = unit.shape
    rows = torch.nn.functional.normalize(unit, eps=torch.finfo(unit.dtype).tiny)
    negligible = math.sqrt(M / _largest_squared_inverse(unit.dtype))
    rank = int((_singular_values(rows) > negligible).sum())
    return (
        f"E ({M} × {N}) has numerical rank {rank}, below its metric rank {M} "
        f"(condition number {_condition_number(_singular_values(unit)):.3g}, tau {tau:g})"
    )


def _singular_values(unit: Tensor) -> Tensor:
    sigma: Tensor = torch.linalg.svdvals(unit.detach())
    return sigma


def _condition_number(sigma: Tensor) -> float:
    return float(sigma[0] / sigma[-1]) if sigma[-1] > 0 else math.inf
