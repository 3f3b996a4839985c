"""What may have happened where an action was recorded."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from tem_vae.model.parts import Integrator, Location
from tem_vae.model.places import Places


class Candidates(NamedTuple):
    """What may have happened, C candidates of each hypothesis.

    Attributes:
        there: Where they lead, numbers of shape (batch, K, C).
        actions: (batch, K, C) or (batch, K, C, A).
        log_prob: Their log probabilities, or the log share of each in a mean over draws, (batch, K, C).
        wrong: Which are not what was recorded, (batch, K, C); False of all where actions are real-valued.
        filtered: Log probabilities of what happened now, by what was recorded so far alone, (batch, A); None
            where steps are independent.
    """

    there: Places
    actions: Tensor
    log_prob: Tensor
    wrong: Tensor
    filtered: Tensor | None = None


class SlipState(NamedTuple):
    """What happened last.

    Attributes:
        happened: By each hypothesis, (batch, K) or (batch, K, A).
        filtered: `Candidates.filtered` of the last step.
    """

    happened: Tensor
    filtered: Tensor | None


class Slips(Protocol):
    """p(what happened | recorded action).

    Attributes:
        returns: Whether what may have happened leads back to the same places again and again.
    """

    returns: bool

    def branch(
        self,
        integrator: Integrator,
        here: Places,
        recorded: Tensor,
        generator: torch.Generator,
        state: SlipState | None,
    ) -> Candidates:
        """What may have happened, for every hypothesis of every walk.

        Args:
            integrator: From actions to location codes.
            here: Where hypotheses are, numbers of shape (batch, K).
            recorded: One action of each walk.
            generator: Decides what is drawn.
            state: What happened before; None at the first step.
        """


class ActionSlips(nn.Module):
    r"""A table p(a | r) for numbered actions, free to learn: missed and replaced steps are cases of it.

    It starts as if a share of the recorded actions had been replaced by one drawn evenly from all,

    .. math:: p(a | r) = (1 - \mathrm{rate})\,[a = r] + \mathrm{rate} / A .

    Args:
        n_actions: A.
        rate: The share, in (0, 1).
    """

    returns = True

    def __init__(self, n_actions: int, rate: float) -> None:
        super().__init__()
        # A constant on the diagonal says it all; the table is what training may make of it.
        stay = math.log1p((1 - rate) * n_actions / rate)
        self.logits = nn.Parameter(stay * torch.eye(n_actions))

    @property
    def log_table(self) -> Tensor:
        """Log p(a | r), (A, A), r in rows."""
        return self.logits.log_softmax(dim=-1)

    @property
    def rate(self) -> Tensor:
        """The share of replaced actions that agrees with how often an action is what was recorded, ()."""
        actions = len(self.logits)
        return (1 - self.log_table.diagonal().exp().mean()) * actions / max(actions - 1, 1)

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return {"belief/slip_rate": self.rate}

    def branch(
        self,
        integrator: Integrator,
        here: Places,
        recorded: Tensor,
        generator: torch.Generator,
        state: SlipState | None,
    ) -> Candidates:
        """Every action, for every hypothesis of every walk.

        Args:
            integrator: From actions to location codes.
            here: Where hypotheses are, numbers of shape (batch, K).
            recorded: One action of each walk, (batch).
            generator: Not used: nothing is drawn.
            state: Not used: steps are independent.
        """
        actions = torch.arange(len(self.logits), device=recorded.device)
        shape = (*here.numbers.shape, len(actions))
        start = Location(*(part.unsqueeze(2).expand(-1, -1, len(actions), -1) for part in here.location))
        there = integrator.step(start, actions.expand(start.code.shape[:-1]))
        numbers = here.numbers.unsqueeze(-1) * len(actions) + actions
        log_prob = self.log_table[recorded.long()].unsqueeze(1).expand(shape)
        wrong = (actions != recorded.unsqueeze(-1)).unsqueeze(1).expand(shape)
        location = Location(*(part.flatten(1, 2) for part in there))
        return Candidates(Places(location, numbers), actions.expand(shape), log_prob, wrong)

    def log_prob(self, happened: Tensor, recorded: Tensor) -> Tensor:
        """Log probability of what happened, (*), (*) -> (*)."""
        return self.log_table[recorded.long(), happened.long()]
