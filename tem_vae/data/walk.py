"""The batch type: walks, what is known about them, and how each of their steps arrived where it did."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


class UnknownTruthError(ValueError):
    """Something needs to know of walks what nobody recorded; the message says what."""


class Truth(NamedTuple):
    """What is known about a walk beside what was perceived and done; for scores and figures only.

    Places are numbered within their world; a walk in another row of a batch is in another world. A field that
    nobody recorded is None.

    Attributes:
        places: The place occupied at each step, (batch, time), int64.
        classes: The class of percept that the place holds, (batch, time), int64.
        positions: Where the place lies in the plane, in link lengths, (batch, time, 2); for figures.
        actions: What happened, where that is not always what was recorded, as `Walks.actions`.
    """

    places: Tensor | None = None
    classes: Tensor | None = None
    positions: Tensor | None = None
    actions: Tensor | None = None

    def beginning(self, steps: int) -> "Truth":
        """Of the first steps of every walk."""
        cut = {name: None if known is None else known[:, :steps] for name, known in self._asdict().items()}
        return Truth(**cut | {"actions": None if self.actions is None else self.actions[:, : steps - 1]})


class Walks(NamedTuple):
    """A batch of walks, one world a walk, padded at their ends to the longest.

    What stands at padded steps is never read into a loss, a score or a gradient; zeros will do.

    Attributes:
        percepts: What was perceived at each step, (batch, time, *shape). One with a NaN in it
            is missing: the step moves, and is neither remembered nor scored.
        actions: What leads from step t to t + 1: numbers, (batch, time - 1), int64; or real-valued,
            (batch, time - 1, A).
        mask: True at the steps of each walk, False at its padding, (batch, time), boolean.
        truth: What else is known; None if nothing is.
    """

    percepts: Tensor
    actions: Tensor
    mask: Tensor
    truth: Truth | None = None

    @property
    def seen(self) -> Tensor:
        """True at the steps that count: neither padding nor without a percept, (batch, time), boolean."""
        return self.mask & ~self.percepts.isnan().flatten(2).any(dim=-1)

    @property
    def places(self) -> Tensor | None:
        """`Truth.places`, if they are known."""
        return self.truth.places if self.truth else None

    @property
    def classes(self) -> Tensor | None:
        """`Truth.classes`, if they are known."""
        return self.truth.classes if self.truth else None

    @property
    def positions(self) -> Tensor | None:
        """`Truth.positions`, if they are known."""
        return self.truth.positions if self.truth else None

    def known(self, field: Literal["places", "classes", "positions"]) -> Tensor:
        """A field of the truth, for what cannot do without it.

        Raises:
            UnknownTruthError: Nobody recorded it.
        """
        values = getattr(self.truth, field, None)
        if not isinstance(values, Tensor):
            raise UnknownTruthError(f"needs {field}, which these walks do not have")
        return values

    def row(self, index: int) -> "Walks":
        """One of the walks, as a batch of its own."""
        one = slice(index, index + 1)
        truth = self.truth and Truth(*(None if field is None else field[one] for field in self.truth))
        return Walks(self.percepts[one], self.actions[one], self.mask[one], truth)

    def beginning(self, steps: int) -> "Walks":
        """The same walks up to a number of steps."""
        truth = self.truth and self.truth.beginning(steps)
        return Walks(self.percepts[:, :steps], self.actions[:, : steps - 1], self.mask[:, :steps], truth)


def concatenate(batches: Sequence[Walks]) -> Walks:
    """Join batches along the batch, padded to the longest walk.

    Raises:
        ValueError: Something is known about some of the walks only.
    """
    truths = [batch.truth or Truth() for batch in batches]
    truth = Truth(*(_join(name, [getattr(truth, name) for truth in truths]) for name in Truth._fields))
    return Walks(
        percepts=_pad([batch.percepts for batch in batches]),
        actions=_pad([batch.actions for batch in batches]),
        mask=_pad([batch.mask for batch in batches]),
        truth=truth if any(field is not None for field in truth) else None,
    )


def _join(name: str, fields: Sequence[Tensor | None]) -> Tensor | None:
    known = [field for field in fields if field is not None]
    if len(known) not in (0, len(fields)):
        raise ValueError(
            f"{name} are known of {len(known)} of {len(fields)} batches; give them for all or for none."
        )
    return _pad(known) if known else None


def _pad(parts: Sequence[Tensor]) -> Tensor:
    """Rows of all parts, zeros (False) behind the shorter ones."""
    if len({part.shape[1] for part in parts}) == 1:
        return torch.cat(list(parts))
    return pad_sequence([row for part in parts for row in part], batch_first=True)


class StepKinds(NamedTuple):
    """Which steps arrive how; every field is boolean of shape (batch, time), False at the first step.

    Attributes:
        move: The step changed place. Staying put is never scored: copying the last percept solves it.
        revisit: A move into a place seen earlier in the walk.
        known_link: A revisit over a link that was walked before, in either direction.
        zero_shot: A revisit over a link that was walked in neither direction before.
        first_visit: A move into a place never seen before in the walk.
    """

    move: Tensor
    revisit: Tensor
    known_link: Tensor
    zero_shot: Tensor
    first_visit: Tensor


def classify_steps(places: Tensor, mask: Tensor | None = None) -> StepKinds:
    """Tell revisits, zero-shot links and first visits apart.

    Args:
        places: The place occupied at each step, shape (batch, time).
        mask: False at padded steps and at those without a percept. They are of no kind, and a place or class
            is not known from them; a link that they lead over was walked. Without a mask there are none.
    """
    start, end = places[:, :-1], places[:, 1:]
    link = torch.minimum(start, end) * (places.max() + 1) + torch.maximum(start, end)
    nowhere = torch.zeros_like(places[:, :1], dtype=torch.bool)
    move = torch.cat([nowhere, start != end], dim=1)
    if mask is not None:
        move = move & mask
    seen = occurred_before(places, mask)
    walked = torch.cat([nowhere, occurred_before(link)], dim=1)
    revisit = move & seen
    return StepKinds(move, revisit, revisit & walked, revisit & ~walked, move & ~seen)


def occurred_before(symbols: Tensor, mask: Tensor | None = None) -> Tensor:
    """Whether the same symbol stands earlier in its row, shape (batch, time), boolean.

    Args:
        symbols: Integers of shape (batch, time).
        mask: False at what is not looked for, (batch, time); without a mask there is none of it.
    """
    batch, time = symbols.shape
    if symbols.numel() == 0:
        return torch.zeros_like(symbols, dtype=torch.bool)
    compact = torch.unique(symbols, return_inverse=True)[1]
    steps = torch.arange(time, device=symbols.device).expand(batch, time)
    first = torch.full((batch, int(compact.max()) + 1), time, device=symbols.device)
    looked_for = steps if mask is None else steps.masked_fill(~mask, time)
    first = first.scatter_reduce(1, compact, looked_for, "amin")
    return first.gather(1, compact) < steps
