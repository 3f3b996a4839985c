"""What one asks of memory weights of every step, a few rows at a time."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import pad

from tem_vae.geometry import Neighborhood
from tem_vae.geometry.mode import mode_shares, neighborhood_keys
from tem_vae.geometry.precision import matmul

# Pairs of steps at once where rows are spelled out.
PAIRS_AT_ONCE = 2**18

# Weights that are kept: 64 MB in float32.
_MOST_KEPT = 2**24


class MemoryRows(ABC):
    """Memory weights w_ts of every step t of walks, batch shape (batch, time), never all at once.

    Attributes:
        components: The neighborhoods of what was perceived at each step, batch shape (batch, time).
        null: The neighborhood that stands for novel places where a prediction is decoded, batch shape ().
    """

    components: Neighborhood

    @property
    @abstractmethod
    def null(self) -> Neighborhood:
        """The neighborhood that stands for novel places where a prediction is decoded, batch shape ()."""

    @abstractmethod
    def weigh_rows(self, first: int, last: int) -> Tensor:
        """Log weights of steps first to last - 1 up to column last, (batch, last - first, 1 + last)."""

    @property
    def log_weights(self) -> Tensor:
        """Log memory weights of every step, (batch, time, 1 + time), the null component first."""
        return self.weigh_rows(0, self.components.batch_shape[1])

    @property
    def mode(self) -> Tensor:
        """A code of high density at every step, (batch, time, N), as `NeighborhoodMixture.mode`."""
        null, components = self.null.expand(self.components.batch_shape[:1]), self.components
        codes = torch.cat([null.center.unsqueeze(1), components.center], dim=1)
        scales = torch.cat([null.scale.unsqueeze(1), components.scale], dim=1)
        whitened = torch.cat([null.whitened_center.unsqueeze(1), components.whitened_center], dim=1)
        keys = neighborhood_keys(whitened, scales)
        chunks = []
        for first, last in self.rows(at_once=4 * PAIRS_AT_ONCE):
            some = [each[:, : 1 + last] for each in (keys, whitened, scales, codes)]
            # One walk after the other: what is computed for one stays in the cache.
            walks = zip(self._read(first, last), *some, strict=True)
            chunks.append(torch.stack([_mode(*walk) for walk in walks]))
        return torch.cat(chunks, dim=1)

    @property
    def heaviest(self) -> Tensor:
        """The remembered step of greatest weight at every step, (batch, time); 0 where there is none."""
        chunks = [self._read(*rows)[..., 1:].argmax(dim=-1) for rows in self.rows()]
        return torch.cat(chunks, dim=1)

    def weigh(self, values: Tensor) -> Tensor:
        """Σ_s w_ts v_s, (batch, time, D), for values of every step, (batch, time, D)."""
        chunks = []
        for first, last in self.rows():
            weights = self._read(first, last)[..., 1:].exp()
            chunks.append(matmul(weights, values[:, :last].to(weights.dtype)))
        return torch.cat(chunks, dim=1)

    @property
    def log_null(self) -> Tensor:
        """Log weight of the null component at every step, (batch, time)."""
        return torch.cat([self._read(*rows)[..., 0] for rows in self.rows()], dim=1)

    def _read(self, first: int, last: int) -> Tensor:
        """As `weigh_rows`; if there are not too many, all are computed once and kept."""
        batch, time = self.components.batch_shape
        if torch.is_grad_enabled() or batch * time * (1 + time) > _MOST_KEPT:
            return self.weigh_rows(first, last)
        return self._kept[:, first:last, : 1 + last]

    @cached_property
    def _kept(self) -> Tensor:
        time = self.components.batch_shape[1]
        chunks = (self.weigh_rows(*rows) for rows in self.rows())
        hidden = -torch.inf
        return torch.cat([pad(rows, (0, 1 + time - rows.shape[-1]), value=hidden) for rows in chunks], dim=1)

    def rows(self, at_once: int = PAIRS_AT_ONCE) -> Iterator[tuple[int, int]]:
        """Rows to spell out at once, as first and last + 1, so many pairs of steps at most."""
        batch, time = self.components.batch_shape
        size = max(1, at_once // (batch * time))
        return ((first, min(first + size, time)) for first in range(0, time, size))

    def first_components(self, steps: int) -> Neighborhood:
        """Those of the first steps of every walk."""
        codes, scale = self.components.center[:, :steps], self.components.scale[:, :steps]
        return Neighborhood(codes, scale, self.components.factorization, validate_args=False)


def _mode(log_weights: Tensor, keys: Tensor, whitened: Tensor, scales: Tensor, codes: Tensor) -> Tensor:
    """Of some rows of weights of one walk, (rows, N), with the null component before the others."""
    return matmul(mode_shares(log_weights, keys, whitened, scales), codes)
