"""Walks as they may have gone by one belief, which serves several updates."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tem_vae.data import Walks
from tem_vae.model import Belief, TemVae
from tem_vae.model.parts import take_rows


class Believed(NamedTuple):
    """Walks, and what may have happened on them by the hypotheses that a belief has at their ends.

    Attributes:
        percepts: Of the walks, as `Walks` has them.
        recorded: Their actions.
        mask: True at their steps.
        actions: What happened by each hypothesis, (batch, H, time - 1) or (batch, H, time - 1, A).
        log_weights: Of the hypotheses, normalised, (batch, H).
    """

    percepts: Tensor
    recorded: Tensor
    mask: Tensor
    actions: Tensor
    log_weights: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, model: TemVae, belief: Belief, walks: Walks) -> "Believed":
        """What a model in training believes of walks."""
        inference = model.infer(walks.percepts, walks.actions)
        trace = model.believe(belief, walks.percepts, walks.actions, inference, evenly=False)
        return cls(walks.percepts, walks.actions, walks.mask, trace.actions, trace.log_weights)

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Believed":
        """What `_asdict` was written to a checkpoint of.

        Raises:
            ValueError: The state is of something else.
        """
        if state.keys() != set(cls._fields) or not all(isinstance(part, Tensor) for part in state.values()):
            raise ValueError(f"a checkpoint holds a belief that is not of {', '.join(cls._fields)}")
        return cls(**state)

    def draw(self) -> Walks:
        """The walks, with actions that happened by hypotheses drawn by their weights."""
        drawn = torch.multinomial(self.log_weights.exp(), 1)
        return Walks(self.percepts, take_rows(self.actions, drawn).squeeze(1), self.mask)
