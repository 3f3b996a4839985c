"""The batch type: walks through worlds, and what each of their steps is evidence of."""

from typing import NamedTuple

import torch
from torch import Tensor


class Walks(NamedTuple):
    """A batch of walks of equal length, one world a walk.

    Places are numbered within their world; a walk in another row of the batch is in another world.

    Attributes:
        percepts: What was perceived at each step, standardised, shape (batch, time, percept_dim).
        actions: The action that leads from step t to t + 1, shape (batch, time - 1), int64.
        places: The place occupied at each step, shape (batch, time), int64.
        classes: The class of percept that the place holds, shape (batch, time), int64.
        positions: Where the place lies in the plane, in link lengths, shape (batch, time, 2); for figures.
    """

    percepts: Tensor
    actions: Tensor
    places: Tensor
    classes: Tensor
    positions: Tensor


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


def classify_steps(places: Tensor) -> StepKinds:
    """Tell revisits, zero-shot links and first visits apart.

    Args:
        places: The place occupied at each step, shape (batch, time).
    """
    start, end = places[:, :-1], places[:, 1:]
    link = torch.minimum(start, end) * (places.max() + 1) + torch.maximum(start, end)
    nowhere = torch.zeros_like(places[:, :1], dtype=torch.bool)
    move = torch.cat([nowhere, start != end], dim=1)
    seen = occurred_before(places)
    walked = torch.cat([nowhere, occurred_before(link)], dim=1)
    revisit = move & seen
    return StepKinds(move, revisit, revisit & walked, revisit & ~walked, move & ~seen)


def occurred_before(symbols: Tensor) -> Tensor:
    """Whether the same symbol stands earlier in its row, shape (batch, time), boolean.

    Args:
        symbols: Integers of shape (batch, time).
    """
    batch, time = symbols.shape
    if symbols.numel() == 0:
        return torch.zeros_like(symbols, dtype=torch.bool)
    compact = torch.unique(symbols, return_inverse=True)[1]
    steps = torch.arange(time, device=symbols.device).expand(batch, time)
    first = torch.full((batch, int(compact.max()) + 1), time, device=symbols.device)
    first = first.scatter_reduce(1, compact, steps, "amin")
    return first.gather(1, compact) < steps
