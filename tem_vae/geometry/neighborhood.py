"""The neighborhood of a code: a Gaussian whose spread is measured by the pseudometric."""

import math
from collections.abc import Callable
from typing import ClassVar, Self

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.distributions.kl import register_kl

from tem_vae.geometry.factorization import Factorization
from tem_vae.geometry.lazy import GradientModes, lazy_tensor
from tem_vae.geometry.precision import working_dtype

_Shape = torch.Size | list[int] | tuple[int, ...]


class Neighborhood(Distribution):
    r"""z = z0 + eps beta E†u with u ~ N(0, I_M): codes at mean squared distance eps² from the center z0.

    The density is that of z0 + range(E†) under its M-dimensional Hausdorff measure,

    .. math:: \log p(z) = -\tfrac12\lVert u\rVert^2 - \tfrac M2\log 2\pi - M\log\epsilon - V,
              \qquad u = \bigl(w(z) - w(z_0)\bigr)/\epsilon,

    with V the `log_volume` and w the whitened coordinates of the factorisation. It depends on z only through
    E z, so every z in R^N has a density: that of the quotient R^N / ker E.

    Args:
        center: z0, (*B, N).
        scale: eps > 0 in units of the pseudometric, a number or a tensor that broadcasts with *B.
        factorization: of the E that defines the pseudometric; share one among all that are to be compared.
        validate_args: check arguments and values, as in every torch distribution.

    Raises:
        ValueError: The center is no (*B, N), the scale does not broadcast with its batch or is not positive.

    Example:
        >>> from tem_vae.geometry import factorize
        >>> q = Neighborhood(torch.zeros(5, 3), scale=0.1, factorization=factorize(torch.eye(2, 3), tau=0.0))
        >>> z, u = q.rsample_with_u((7,))
        >>> z.shape, u.shape
        (torch.Size([7, 5, 3]), torch.Size([7, 5, 2]))
        >>> torch.allclose(q.log_prob(z), q.log_prob(z, u=u), atol=1e-4)
        True
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {
        "center": constraints.real_vector,
        "scale": constraints.positive,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        center: Tensor,
        scale: float | Tensor,
        factorization: Factorization,
        validate_args: bool | None = None,
    ) -> None:
        check_last_axis("center", center, factorization.code_dim, "the code dimension N of E")
        self.factorization = factorization
        self._modes = GradientModes.current()
        self._center = center.to(torch.promote_types(center.dtype, factorization.dtype))
        scale = torch.as_tensor(scale, dtype=self._center.dtype, device=center.device)
        batch_shape = _broadcast_batch(center.shape[:-1], scale.shape)
        self.scale = scale.expand(batch_shape)
        super().__init__(batch_shape, center.shape[-1:], validate_args=validate_args)

    @property
    def center(self) -> Tensor:
        """z0, (*B, N)."""
        return self._center.expand(self.batch_shape + self.event_shape)

    @property
    def mean(self) -> Tensor:
        """The center, (*B, N)."""
        return self.center

    @property
    def variance(self) -> Tensor:
        """Variance of each coordinate of z, (*B, N)."""
        return self.scale.square().unsqueeze(-1) * self.factorization.spreading.square().sum(-1)

    @lazy_tensor
    def whitened_center(self) -> Tensor:
        """w(z0), (*B, M).

        Raises:
            RankDeficientError: E has fewer than M independent rows.
        """
        return self.factorization.whiten(self._center).expand(*self.batch_shape, -1)

    def expand(self, batch_shape: _Shape, _instance: Self | None = None) -> "Neighborhood":
        """The same neighborhoods over a larger batch, without copying."""
        scale = self.scale.expand(torch.Size(batch_shape))
        new = Neighborhood(self._center, scale, self.factorization, validate_args=False)
        new._modes = self._modes
        new._validate_args = self._validate_args
        return new

    def rsample(self, sample_shape: _Shape = ()) -> Tensor:
        """Codes z, (*sample_shape, *B, N), differentiable in center, scale and E."""
        return self.rsample_with_u(sample_shape)[0]

    def rsample_with_u(self, sample_shape: _Shape = ()) -> tuple[Tensor, Tensor]:
        """Codes z, (*sample_shape, *B, N), and the noise u, (*sample_shape, *B, M), they were made from."""
        shape = torch.Size(sample_shape) + self.batch_shape + (self.factorization.rank,)
        u = torch.randn(shape, dtype=self._center.dtype, device=self._center.device)
        return self._center + self.scale.unsqueeze(-1) * self.factorization.spread(u), u

    def whiten_noise(self, u: Tensor) -> Tensor:
        """Whitened coordinates w(z) = w(z0) + eps u of samples, by the noise they were made from, (*, M)."""
        return self.whitened_center + self.scale.unsqueeze(-1) * u

    def log_prob(self, z: Tensor, u: Tensor | None = None) -> Tensor:
        """Log density in nats, (*sample, *B).

        Args:
            z: codes, (*sample, *B, N).
            u: the noise that made z, (*sample, *B, M); with it, z is not read and no N-dimensional work done.

        Raises:
            ValueError: The last axis of u is not M long.
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        if u is None:
            if self._validate_args:
                self._validate_sample(z)
            u = self.factorization.whiten(z - self._center) / self.scale.unsqueeze(-1)
        check_last_axis("u", u, self.factorization.rank, "the metric rank M of E")
        u = u.to(working_dtype(u, self._center))
        log_standard_normal = -0.5 * (u.square().sum(-1) + self.factorization.rank * math.log(2 * math.pi))
        return log_standard_normal - self._log_volume()

    def entropy(self) -> Tensor:
        """Differential entropy in nats, (*B).

        Raises:
            RankDeficientError: E has fewer than M independent rows.
        """
        return 0.5 * self.factorization.rank * (1 + math.log(2 * math.pi)) + self._log_volume()

    def _log_volume(self) -> Tensor:
        """Log volume of u -> eps beta E†u, (*B)."""
        log_volume = self.factorization.rank * self.scale.log() + self.factorization.log_volume
        return log_volume.to(self.scale.dtype)


# torch leaves these two untyped.
_KL = Callable[[Neighborhood, Neighborhood], Tensor]
_register_kl: Callable[[type, type], Callable[[_KL], _KL]] = register_kl
_broadcast_shapes: Callable[..., torch.Size] = torch.broadcast_shapes


@_register_kl(Neighborhood, Neighborhood)
def kl_neighborhood(q: Neighborhood, p: Neighborhood) -> Tensor:
    """KL(q‖p) in nats, M log(eps_p/eps_q) + ½M(eps_q²/eps_p² − 1) + ½‖w_q − w_p‖²/eps_p².

    Raises:
        ValueError: The two do not share one factorisation.
        RankDeficientError: E has fewer than M independent rows.
    """
    check_shared_factorization(q, p)
    rank = q.factorization.rank
    ratio = q.scale / p.scale
    offset = (q.whitened_center - p.whitened_center).square().sum(-1) / p.scale.square()
    return 0.5 * (offset + rank * (ratio.square() - 1)) - rank * ratio.log()


def check_shared_factorization(first: Neighborhood, second: Neighborhood) -> None:
    """Refuse to compare neighborhoods of different factorisations.

    Raises:
        ValueError: The two do not share one factorisation.
    """
    if first.factorization is not second.factorization:
        raise ValueError(
            "the neighborhoods have different factorisations: densities of different E are taken on "
            "different spaces and cannot be compared. Call factorize() once per forward pass and build both "
            "neighborhoods from its result."
        )


def check_last_axis(name: str, tensor: Tensor, size: int, meaning: str) -> None:
    """Refuse a tensor whose last axis has the wrong length.

    Raises:
        ValueError: The last axis of the tensor is not `size` long, or it has none.
    """
    if tensor.ndim == 0 or tensor.shape[-1] != size:
        raise ValueError(
            f"{name} must have shape (*, {size}), its last axis {meaning}, "
            f"but its shape is {tuple(tensor.shape)}."
        )


def _broadcast_batch(center_batch: torch.Size, scale_shape: torch.Size) -> torch.Size:
    try:
        return _broadcast_shapes(center_batch, scale_shape)
    except RuntimeError:
        raise ValueError(
            f"scale of shape {tuple(scale_shape)} does not broadcast with the batch shape "
            f"{tuple(center_batch)} of center; give one scale for all or one for each center."
        ) from None
