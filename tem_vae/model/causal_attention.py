"""Causal log-sum-exps of dot products of two kinds, and means, in memory linear in the number of steps."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tem_vae.geometry.precision import matmul, smallest_share

# Logits are in bits within this file: on CPUs the power of two is twice as fast as the exponential.
_BITS = math.log2(math.e)

_ROWS = 256
_COLUMNS = 1024
_LOGITS_AT_ONCE = 2**18
_LOGITS_KEPT = 2**21

# Of what a step does not see. No −inf: where it sees nothing, differences must stay numbers.
_HIDDEN = -1e30


class CausalAttention(NamedTuple):
    """Log Σ_{s<t} exp of the logits of each step t but the first, which has none before it; and a mean.

    Where none of the steps before t was seen, sums are less than −1e29 and the mean is arbitrary.

    Attributes:
        first: Of A_ts, (batch, time - 1).
        second: Of B_ts, (samples, batch, time - 1).
        both: Of A_ts + B_ts, (samples, batch, time - 1).
        mean: Σ_s v_s exp A_ts / Σ_s exp A_ts, (batch, time - 1, D'').
    """

    first: Tensor
    second: Tensor
    both: Tensor
    mean: Tensor


class _Tile(NamedTuple):
    """Some rows (steps t) and columns (steps s) of the logits."""

    rows: slice
    columns: slice

    @property
    def diagonal(self) -> int | None:
        """For `tril`, where the tile reaches beyond the diagonal; None where it does not."""
        offset = self.rows.start - self.columns.start
        return offset if self.columns.stop > self.rows.start + 1 else None


class _Logits(NamedTuple):
    """A and B by their factors, (batch, rows, D) and (samples, batch, rows, D'), and the values to average.

    Row i of the queries is a step that sees those of rows 0 to i of the keys that are seen, (batch, rows).
    """

    first_queries: Tensor
    first_keys: Tensor
    second_queries: Tensor
    second_keys: Tensor
    values: Tensor
    seen: Tensor

    @classmethod
    def shifted(cls, factors: Sequence[Tensor], seen: Tensor) -> Self:
        """From factors of every step: views, such that a step sees those before it, and not itself."""
        first_queries, first_keys, second_queries, second_keys, values = factors
        queries = first_queries[:, 1:], second_queries[:, :, 1:]
        keys = first_keys[:, :-1], second_keys[:, :-1]
        return cls(queries[0], keys[0], queries[1], keys[1], values[:, :-1], seen[:, :-1])

    @property
    def are_few(self) -> bool:
        """Whether all of them may be kept: one tile holds every row, and there are not many rows."""
        samples, batch, time, _ = self.second_queries.shape
        return time <= _COLUMNS and samples * batch * time**2 <= _LOGITS_KEPT

    def tiles(self) -> Iterator[list[_Tile]]:
        """For each block of rows its tiles; the first of them has the diagonal."""
        samples, batch, time, _ = self.second_queries.shape
        columns = max(1, min(_COLUMNS, time))
        rows = max(1, min(_ROWS, columns, _LOGITS_AT_ONCE // (columns * samples * batch)))
        for start in range(0, time, rows):
            stop = min(start + rows, time)
            ends = range(stop, 0, -columns)
            yield [_Tile(slice(start, stop), slice(max(0, end - columns), end)) for end in ends]

    def compute(self, tile: _Tile) -> tuple[Tensor, Tensor, Tensor]:
        """A in bits, (batch, rows, columns), B and A + B, (samples, batch, rows, columns)."""
        first = matmul(_BITS * self.first_queries[:, tile.rows], self.first_keys[:, tile.columns].mT)
        second = matmul(_BITS * self.second_queries[:, :, tile.rows], self.second_keys[:, tile.columns].mT)
        hidden = ~self.seen[:, None, tile.columns]
        if tile.diagonal is not None:
            shape = first.shape[-2:]
            hidden = hidden | torch.ones(shape, dtype=torch.bool, device=first.device).triu(tile.diagonal + 1)
        first.masked_fill_(hidden, _HIDDEN)
        second.masked_fill_(hidden, _HIDDEN)
        return first, second, first + second


class _CausalAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, keep: bool, seen: Tensor, *factors: Tensor) -> tuple[Tensor, ...]:
        logits = _Logits.shifted(factors, seen)
        samples, batch, time, _ = logits.second_queries.shape
        shapes = ((batch, time), (samples, batch, time), (samples, batch, time))
        results = tuple(logits.second_queries.new_full(shape, -torch.inf) for shape in shapes)
        mean = torch.zeros_like(logits.values)
        kept: list[Tensor] = []
        for tile in (tile for tiles in logits.tiles() for tile in tiles):
            shares = logits.compute(tile)
            before = results[0][:, tile.rows].clone()
            totals = []
            for result, each in zip(results, shares, strict=True):
                part, (found, total) = result[..., tile.rows], _exponentiate_(each)
                part.copy_(torch.logaddexp2(part, found))
                totals.append(total)
            average = matmul(shares[0], logits.values[:, tile.columns]).div_(totals[0])
            weight = (before - results[0][:, tile.rows]).exp2_().unsqueeze(-1)
            mean[:, tile.rows].mul_(weight).addcmul_(1 - weight, average)
            kept.extend((*shares, *totals) if keep else ())
        ctx.save_for_backward(seen, *factors, *results, mean, *kept)
        return *results, mean

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        seen, *saved = ctx.saved_tensors
        factors, results, mean, kept = saved[:5], saved[5:8], saved[8], saved[9:]
        logits = _Logits.shifted(factors, seen)
        totals = [torch.zeros_like(factor) for factor in factors]
        *of_sums, of_mean = gradients
        # p is a logit's share of the sum: d lse / d logit = p, d mean / d logit = p (v − mean).
        of_sums = [_BITS * gradient.unsqueeze(-1) for gradient in of_sums]
        of_sums[0] = of_sums[0] - (of_mean * mean).sum(-1, keepdim=True)
        for index, tile in enumerate(tile for tiles in logits.tiles() for tile in tiles):
            t, s = tile
            found = kept[6 * index : 6 * index + 6]
            shares = found[:3] or _shares(logits, tile, results)
            by_row = [gradient[..., t, :] for gradient in (*of_sums, of_mean)]
            if found:  # these are no shares before they are divided by their sums
                by_row = [row / total for row, total in zip(by_row, (*found[3:], found[3]), strict=True)]
            parts = [share * row for share, row in zip(shares, by_row[:3], strict=True)]
            parts[0].addcmul_(shares[0], matmul(by_row[3], logits.values[:, s].mT))
            totals[4][:, s] += matmul(shares[0].mT, by_row[3])
            _accumulate(_Logits.shifted(totals, seen), logits, tile, parts)
        return None, None, *totals


def _exponentiate_(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Log-sum-exp over the last axis, in bits, (*, rows), and the sum beside the largest, (*, rows, 1).

    In bits there remain the powers beside the largest, which is 1; divided by the sum they are shares of it.
    """
    largest = bits.amax(-1, keepdim=True)
    total = _powers_(bits.sub_(largest)).sum(-1, keepdim=True)
    return total.log2().add_(largest).squeeze(-1), total


def _shares(logits: _Logits, tile: _Tile, results: Sequence[Tensor]) -> list[Tensor]:
    """The shares of a tile's logits in the sums of their whole rows."""
    parts = zip(logits.compute(tile), results, strict=True)
    return [_powers_(logit.sub_(result[..., tile.rows, None])) for logit, result in parts]


def _powers_(bits: Tensor) -> Tensor:
    """Powers of two, at most about 1; 0 for those that are no share of a sum, as those that are hidden."""
    return torch.threshold_(bits, _BITS * smallest_share(bits.dtype), _HIDDEN).exp2_()


def _accumulate(totals: _Logits, logits: _Logits, tile: _Tile, gradients: list[Tensor]) -> None:
    """Add to the gradients of queries and keys what a tile contributes; overwrites its arguments."""
    first, second, both = gradients
    second += both
    first += both.sum(0)
    t, s = tile
    totals.first_queries[:, t] += matmul(first, logits.first_keys[:, s])
    totals.first_keys[:, s] += matmul(first.mT, logits.first_queries[:, t])
    totals.second_queries[:, :, t] += matmul(second, logits.second_keys[:, s])
    totals.second_keys[:, s] += matmul(second.mT, logits.second_queries[:, :, t]).sum(0)


_apply: Callable[..., tuple[Tensor, ...]] = _CausalAttention.apply  # which torch leaves untyped


def causal_attention(
    first_queries: Tensor,
    first_keys: Tensor,
    second_queries: Tensor,
    second_keys: Tensor,
    values: Tensor,
    *,
    seen: Tensor,
) -> CausalAttention:
    """Log-sum-exps over the seen s < t of A_ts = a_t · a'_s, of B_ts = b_t · b'_s and of A_ts + B_ts; a mean.

    Logits are computed tile by tile, forward and once more backward, so that no (time, time) array is formed
    and memory grows with time, not with its square; only those of a few short walks are kept. One pass for
    all costs far less than one for each: the products of A, with their gradients, are most of the work.
    Gradients can be taken once, not twice.

    Args:
        first_queries: a_t, (batch, time, D).
        first_keys: a'_s, (batch, time, D).
        second_queries: b_t, (samples, batch, time, D'); A is the same for every sample.
        second_keys: b'_s, (batch, time, D').
        values: v_s, which are averaged with weights exp A_ts, (batch, time, D''); D'' may be 0.
        seen: False at the steps s that are left out, (batch, time), boolean.
    """
    factors = (first_queries, first_keys, second_queries, second_keys, values)
    keep = torch.is_grad_enabled() and _Logits.shifted(factors, seen).are_few
    *sums, mean = _apply(keep, seen, *factors)
    first, second, both = (lse / _BITS for lse in sums)
    return CausalAttention(first, second, both, mean)
