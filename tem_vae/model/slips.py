"""What may have happened where an action was recorded."""

import math

import torch
from torch import Tensor, nn


class ActionSlips(nn.Module):
    r"""A table p(a | r) for numbered actions, free to learn: missed and replaced steps are cases of it.

    It starts as if a share of the recorded actions had been replaced by one drawn evenly from all,

    .. math:: p(a | r) = (1 - \mathrm{rate})\,[a = r] + \mathrm{rate} / A .

    Args:
        n_actions: A.
        rate: The share, in (0, 1).
    """

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

    def candidates(self, recorded: Tensor, hypotheses: int) -> tuple[Tensor, Tensor]:
        """Every action, for every hypothesis of every walk.

        Args:
            recorded: One action of each walk, (batch).
            hypotheses: K.

        Returns:
            Actions and their log probabilities, which sum to 1 over the last axis, (batch, K, A) each.
        """
        actions = torch.arange(len(self.logits), device=recorded.device)
        shape = (len(recorded), hypotheses, len(actions))
        return actions.expand(shape), self.log_table[recorded.long()].unsqueeze(1).expand(shape)

    def log_prob(self, happened: Tensor, recorded: Tensor) -> Tensor:
        """Log probability of what happened, (*), (*) -> (*)."""
        return self.log_table[recorded.long(), happened.long()]
