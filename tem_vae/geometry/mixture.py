"""Memory-weighted mixtures of neighborhoods of one E, with a null component for what memory does not hold."""

import math
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from tem_vae.geometry.euclidean import quadratic_queries
from tem_vae.geometry.factorization import Factorization
from tem_vae.geometry.mode import log_sum_exp, mode_shares, neighborhood_keys
from tem_vae.geometry.neighborhood import Neighborhood, check_last_axis, check_shared_factorization
from tem_vae.geometry.precision import matmul, working_dtype

_Shape = torch.Size | list[int] | tuple[int, ...]


class _LogSimplex(constraints.Constraint):
    """Log-probabilities over the last axis; −inf is a probability of zero."""

    event_dim = 1
    _tolerance = 1e-3

    def check(self, value: Tensor) -> Tensor:
        return log_sum_exp(value).abs() < self._tolerance


class NeighborhoodMixture(Distribution):
    r"""T mixtures of the same S + 1 neighborhoods: row t weighs them by the memory weights w_t.

    .. math:: p_t(z) = w_{t0}\,p_{null}(z) + \sum_{s=1}^{S} w_{ts}\,p_s(z),

    densities on the quotient R^N / ker E. Only (T, S) arrays are formed: distances are taken between whitened
    coordinates by matrix product.

    Args:
        log_weights: log w, (*B, T, S + 1), log-probabilities over the last axis; column 0 weighs the null
            component, column s the s-th neighborhood. −inf masks a component (strict causality).
        components: S neighborhoods, batch shape (*B, S).
        null: the neighborhood of a novel place, batch shape that broadcasts to (*B).
        validate_args: check arguments and values, as in every torch distribution.

    Raises:
        ValueError: Shapes do not fit, the weights are not normalised, or E is not shared.

    Example:
        >>> from tem_vae.geometry import factorize
        >>> factorization = factorize(torch.eye(2, 3), tau=0.0)
        >>> memories = Neighborhood(torch.randn(4, 3), 0.1, factorization)
        >>> null = Neighborhood(torch.zeros(3), 1.0, factorization)
        >>> causal = torch.full((4, 5), -torch.inf).masked_fill(torch.ones(4, 5).tril() > 0, 0.0)
        >>> prior = NeighborhoodMixture(causal.log_softmax(-1), memories, null)
        >>> prior.log_prob(memories.sample()).shape
        torch.Size([4])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {"log_weights": _LogSimplex()}
    support = constraints.real_vector

    def __init__(
        self,
        log_weights: Tensor,
        components: Neighborhood,
        null: Neighborhood,
        validate_args: bool | None = None,
    ) -> None:
        check_shared_factorization(components, null)
        _check_shapes(log_weights, components, null)
        self.log_weights = log_weights.to(working_dtype(log_weights))
        self.components = components
        self.null = null.expand(components.batch_shape[:-1])
        super().__init__(log_weights.shape[:-1], components.event_shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The weighted centers, (*B, T, N)."""
        return matmul(self._weights, self._centers)

    @property
    def mode(self) -> Tensor:
        """A code of high density in each row, (*B, T, N), as `mode_shares` finds it.

        Raises:
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        keys = neighborhood_keys(self._whitened_centers, self._scales)
        shares = mode_shares(self.log_weights, keys, self._whitened_centers, self._scales)
        return matmul(shares, self._centers)

    def sample(self, sample_shape: _Shape = ()) -> Tensor:
        """Codes z, (*sample_shape, *B, T, N), without gradients."""
        sample_shape = torch.Size(sample_shape)
        with torch.no_grad():
            rows = self._weights.flatten(0, -2)
            index = rows.multinomial(sample_shape.numel(), replacement=True).mT
            index = index.reshape(sample_shape + self.batch_shape)
            scale = self._scales.expand(*index.shape[:-1], -1).gather(-1, index).unsqueeze(-1)
            center = self._centers.expand(*index.shape[:-1], -1, -1)
            center = center.gather(-2, index.unsqueeze(-1).expand(*index.shape, center.shape[-1]))
            u = torch.randn((*index.shape, self._factorization.rank), dtype=scale.dtype, device=scale.device)
            return center + scale * self._factorization.spread(u)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density in nats of codes z under their rows, (*sample, *B, T, N) -> (*sample, *B, T).

        Raises:
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        if self._validate_args:
            self._validate_sample(z)
        return self.log_prob_whitened(self._factorization.whiten(z))

    def log_prob_whitened(self, w: Tensor) -> Tensor:
        """`log_prob` of codes given by their whitened coordinates, (*sample, *B, T, M) -> (*sample, *B, T).

        A sample z = c + eps beta E†u has w(z) = w(c) + eps u.

        Raises:
            ValueError: The last axis of w is not M long.
            RankDeficientError: E has fewer than M independent rows; there is no density.
        """
        check_last_axis("w", w, self._factorization.rank, "the metric rank M of E")
        log_joint = self.log_weights + self._log_kernel(w)
        normaliser = 0.5 * self._factorization.rank * math.log(2 * math.pi) + self._factorization.log_volume
        return log_sum_exp(log_joint) - normaliser.to(log_joint.dtype)

    def _log_kernel(self, w: Tensor) -> Tensor:
        """−½‖w_t − w_s‖²/eps_s² − M log eps_s for null component and memories, (*, T, M) -> (*, T, S + 1)."""
        keys = neighborhood_keys(self._whitened_centers, self._scales)
        return matmul(quadratic_queries(w), keys.mT).to(working_dtype(w, self._scales))

    @property
    def _factorization(self) -> Factorization:
        return self.components.factorization

    @property
    def _weights(self) -> Tensor:
        return self.log_weights.softmax(-1)

    @property
    def _whitened_centers(self) -> Tensor:
        """Of the null component, then of the memories, (*B, S + 1, M)."""
        return torch.cat([self.null.whitened_center.unsqueeze(-2), self.components.whitened_center], dim=-2)

    @property
    def _scales(self) -> Tensor:
        """Of the null component, then of the memories, (*B, S + 1)."""
        return torch.cat([self.null.scale.unsqueeze(-1), self.components.scale], dim=-1)

    @property
    def _centers(self) -> Tensor:
        """Of the null component, then of the memories, (*B, S + 1, N)."""
        return torch.cat([self.null.center.unsqueeze(-2), self.components.center], dim=-2)


def _check_shapes(log_weights: Tensor, components: Neighborhood, null: Neighborhood) -> None:
    batch, memories = components.batch_shape[:-1], components.batch_shape[-1:]
    if not memories:
        raise ValueError("components must be neighborhoods of batch shape (*B, S), but it is ().")
    if log_weights.ndim < 2 or log_weights.shape[:-2] != batch or log_weights.shape[-1] != memories[0] + 1:
        raise ValueError(
            f"log_weights must have shape (*B, T, S + 1) = {(*batch, 'T', memories[0] + 1)} for components "
            f"of batch shape {tuple(components.batch_shape)}, but its shape is {tuple(log_weights.shape)}; "
            "column 0 is the null component."
        )
    try:
        null.expand(batch)
    except RuntimeError:
        raise ValueError(
            f"null must have a batch shape that broadcasts to {tuple(batch)}, "
            f"but it is {tuple(null.batch_shape)}; give one null neighborhood for all or one for each walk."
        ) from None
