"""Causal log-sum-exps of dot products of two kinds, and means, in memory linear in the number of steps."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from tem_vae.geometry.precision import matmul, smallest_share

# Logits are in bits within this file: a power of two is 0 as fast as any other, where it is that small.
_BITS = math.log2(math.e)

_ROWS = 256
_COLUMNS = 1024
_LOGITS_AT_ONCE = 2**18
_LOGITS_KEPT = 2**21

# Matrix products are up to half as fast again where rows are a whole number of the processor's vectors.
_VECTOR = 8

# Of what a step does not see. No −inf: where it sees nothing, differences must stay numbers.
_HIDDEN = -1e30


class CausalAttention(NamedTuple):
    """Log Σ_{s<t} exp of the logits of each step t but the first, which has none before it; and a mean.

    Where none of the steps before t was seen, sums are less than −1e29 and the mean is arbitrary.

    Attributes:
        first: Of A_ts, (batch, time - 1).
        second: Of B_ts, (samples, batch, time - 1).
        both: Of A_ts + B_ts, (samples, batch, time - 1), without those s where exp A_ts or exp B_ts is below
            `smallest_share` of the largest of its row; but no less than its square.
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


class _Logits(NamedTuple):
    """A and B by their factors, (batch, rows, D) and (samples, batch, rows, D'), and the values to average.

    Row i of the queries is a step that sees those of rows 0 to i of the keys that are seen, (batch, rows);
    None where all are.
    """

    first_queries: Tensor
    first_keys: Tensor
    second_queries: Tensor
    second_keys: Tensor
    values: Tensor
    seen: Tensor | None

    @classmethod
    def shifted(cls, factors: Sequence[Tensor], seen: Tensor | None) -> Self:
        """From factors of every step: views, such that a step sees those before it, and not itself."""
        first_queries, first_keys, second_queries, second_keys, values = factors
        queries = first_queries[:, 1:], second_queries[:, :, 1:]
        keys = first_keys[:, :-1], second_keys[:, :-1]
        hidden_or_not = None if seen is None else seen[:, :-1]
        return cls(queries[0], keys[0], queries[1], keys[1], values[:, :-1], hidden_or_not)

    @property
    def are_few(self) -> bool:
        """Whether all of them may be kept: one tile holds every row, and there are not many rows."""
        samples, batch, time, _ = self.second_queries.shape
        return time <= _COLUMNS and samples * batch * time**2 <= _LOGITS_KEPT

    def tiles(self) -> Iterator[_Tile]:
        """All of them; the first tile of each block of rows has the diagonal."""
        samples, batch, time, _ = self.second_queries.shape
        columns = max(1, min(_COLUMNS, time))
        rows = max(1, min(_ROWS, columns, _LOGITS_AT_ONCE // (columns * samples * batch)))
        for start in range(0, time, rows):
            stop = min(start + rows, time)
            for end in range(stop, 0, -columns):
                yield _Tile(slice(start, stop), slice(max(0, end - columns), end))

    def compute(self, tile: _Tile) -> tuple[Tensor, Tensor]:
        """A, (batch, rows, columns), and B, (samples, batch, rows, columns)."""
        rows, columns = tile
        first = matmul(self.first_queries[:, rows], self.first_keys[:, columns].mT)
        second = matmul(self.second_queries[:, :, rows], self.second_keys[:, columns].mT)
        for logits in (first, second):
            if columns.stop > rows.start + 1:
                square = logits[..., rows.start - columns.start :]
                future = torch.ones(square.shape[-2:], dtype=torch.bool, device=square.device).triu(1)
                square.masked_fill_(future, _HIDDEN)
            if self.seen is not None:
                logits.masked_fill_(~self.seen[:, None, columns], _HIDDEN)
        return first, second


class _Powers(NamedTuple):
    """Powers of two of a tile's logits, each row in a unit of its own.

    Attributes:
        first: Of A, (batch, rows, columns).
        second: Of B, (samples, batch, rows, columns).
        both: Their product.
        first_total: The sum of the powers of A over the whole row, (batch, rows, 1).
        second_total: That of B, (samples, batch, rows, 1).
    """

    first: Tensor
    second: Tensor
    both: Tensor
    first_total: Tensor
    second_total: Tensor


class _CausalAttention(torch.autograd.Function):
    """What it gives is in bits. Within it factors are as `_prepare` makes them."""

    @staticmethod
    def forward(ctx: Any, keep: bool, seen: Tensor | None, *given: Tensor) -> tuple[Tensor, ...]:
        factors, one = _prepare(given), given[4].shape[-1]
        logits = _Logits.shifted(factors, seen)
        samples, batch, time, _ = logits.second_queries.shape
        shapes = ((batch, time), (samples, batch, time), (samples, batch, time))
        results = tuple(logits.second_queries.new_full(shape, -torch.inf) for shape in shapes)
        mean = torch.zeros_like(logits.values)
        kept: list[Tensor] = []
        for tile in logits.tiles():
            (first, first_top), (second, second_top) = map(_exponentiate_, logits.compute(tile))
            both, sums = first * second, matmul(first, logits.values[:, tile.columns])
            totals = sums[..., one : one + 1], second.sum(-1, keepdim=True), both.sum(-1, keepdim=True)
            tops = first_top, second_top, first_top + second_top
            before = results[0][:, tile.rows].clone()
            for result, top, total in zip(results, tops, totals, strict=True):
                part = result[..., tile.rows]
                part.copy_(torch.logaddexp2(part, (total.log2() + top).squeeze(-1)))
            weight = (before - results[0][:, tile.rows]).exp2_().unsqueeze(-1)
            mean[:, tile.rows].mul_(weight).addcmul_(1 - weight, sums / totals[0])
            kept.extend((first, second, both, *totals[:2]) if keep else ())
        least = results[0] + results[1] + 2 * _BITS * smallest_share(mean.dtype)
        torch.maximum(results[2], least, out=results[2])
        ctx.widths, ctx.seen = [factor.shape[-1] for factor in given], seen
        ctx.save_for_backward(*factors, *results, mean, *kept)
        return *results, mean[..., :one]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        saved = ctx.saved_tensors
        factors, results, mean, kept = saved[:5], saved[5:8], saved[8], saved[9:]
        logits = _Logits.shifted(factors, ctx.seen)
        totals = [torch.zeros_like(factor) for factor in factors]
        # p is a logit's share of the sum: d lse / d logit = p, d mean / d logit = p (v − mean) / log2 e.
        of_first, of_second, of_both = (gradient.unsqueeze(-1) for gradient in gradients[:3])
        of_mean = gradients[3] / _BITS
        of_first = of_first - (of_mean * mean[..., : of_mean.shape[-1]]).sum(-1, keepdim=True)
        of_values = _widen(torch.cat([of_mean, of_first], dim=-1))
        of_both = of_both * (results[0] + results[1] - results[2]).exp2_().unsqueeze(-1)
        for index, tile in enumerate(logits.tiles()):
            t, s = tile
            powers = _Powers(*kept[5 * index : 5 * index + 5]) if kept else _shares(logits, tile, results)
            both = powers.both * (of_both[..., t, :] / (powers.first_total * powers.second_total))
            by_value = of_values[:, t] / powers.first_total
            of_all = both.sum(0) if len(both) > 1 else both[0]
            first = torch.addcmul(of_all, powers.first, matmul(by_value, logits.values[:, s].mT))
            second = (powers.second * (of_second[..., t, :] / powers.second_total)).add_(both)
            sums = _Logits.shifted(totals, None)
            sums.values[:, s].add_(matmul(powers.first.mT, by_value))
            _accumulate(sums, logits, tile, first, second)
        for index in (0, 2, 4):
            totals[index] *= _BITS
        narrowed = (total[..., :width] for total, width in zip(totals, ctx.widths, strict=True))
        return None, None, *narrowed


def _exponentiate_(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Powers beside the largest of a row, which is 1, and the bits of that, (*, rows, 1); in place."""
    largest = bits.amax(-1, keepdim=True)
    return _powers_(bits.sub_(largest)), largest


def _shares(logits: _Logits, tile: _Tile, results: Sequence[Tensor]) -> _Powers:
    """The shares of a tile's logits in the sums of their whole rows."""
    parts = zip(logits.compute(tile), results[:2], strict=True)
    first, second = (_powers_(logit.sub_(result[..., tile.rows, None])) for logit, result in parts)
    one = first.new_ones(())
    return _Powers(first, second, first * second, one, one)


def _powers_(bits: Tensor) -> Tensor:
    """Powers of two, at most about 1; 0 for those that are no share of a sum, as those that are hidden."""
    return torch.threshold_(bits, _BITS * smallest_share(bits.dtype), _HIDDEN).exp2_()


def _accumulate(totals: _Logits, logits: _Logits, tile: _Tile, first: Tensor, second: Tensor) -> None:
    """Add to the gradients of queries and keys what those of a tile's A and B contribute."""
    t, s = tile
    totals.first_queries[:, t].add_(matmul(first, logits.first_keys[:, s]))
    totals.first_keys[:, s].add_(matmul(first.mT, logits.first_queries[:, t]))
    totals.second_queries[:, :, t].add_(matmul(second, logits.second_keys[:, s]))
    totals.second_keys[:, s].add_(matmul(second.mT, logits.second_queries[:, :, t]).sum(0))


def _prepare(factors: Sequence[Tensor]) -> list[Tensor]:
    """Logits in bits, and one value more, 1, whose weighted sum is that of the weights."""
    first_queries, first_keys, second_queries, second_keys, values = factors
    values = torch.cat([values, torch.ones_like(first_keys[..., :1])], dim=-1)
    in_bits = (_BITS * first_queries, first_keys, _BITS * second_queries, second_keys, values)
    return [_widen(factor) for factor in in_bits]


def _widen(factor: Tensor) -> Tensor:
    """The same with zeros behind each row."""
    return pad(factor, (0, -factor.shape[-1] % _VECTOR))


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
    all costs far less than one for each: the products of A, with their gradients, are most of the work, and
    exp(A + B) is a product of what is there already. Gradients can be taken once, not twice.

    Args:
        first_queries: a_t, (batch, time, D).
        first_keys: a'_s, (batch, time, D).
        second_queries: b_t, (samples, batch, time, D'); A is the same for every sample.
        second_keys: b'_s, (batch, time, D').
        values: v_s, which are averaged with weights exp A_ts, (batch, time, D''); D'' may be 0.
        seen: False at the steps s that are left out, (batch, time), boolean.
    """
    factors = (first_queries, first_keys, second_queries, second_keys, values)
    missing = None if seen.all() else seen
    keep = torch.is_grad_enabled() and _Logits.shifted(factors, missing).are_few
    *sums, mean = _apply(keep, missing, *factors)
    first, second, both = (lse / _BITS for lse in sums)
    return CausalAttention(first, second, both, mean)
