"""The model carried along a walk step by step, as an agent does."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.model.checks import check_action, check_next_percept
from tem_vae.model.parts import Location
from tem_vae.model.remembered import Remembered, check_capacity
from tem_vae.model.tem_vae import TemVae


class Expectation(NamedTuple):
    """What memory leads one to expect after an action, before anything is perceived there.

    Attributes:
        memory_weights: w_ts of every step so far, oldest first, (*batch, memories), 0 of a missing percept;
            of what is kept of them, where the observer has a capacity.
        novelty: The probability that the place is new, (*batch).
        percept: The decoded mode of the memory prior, (*batch, *percept_shape).
    """

    memory_weights: Tensor
    novelty: Tensor
    percept: Tensor


@dataclass(frozen=True)
class _Walk:
    """A walk so far.

    Attributes:
        here: Where it stands, (*batch).
        remembered: What was observed, and where.
    """

    here: Location
    remembered: Remembered


class Observer:
    """Takes a trained model on a walk, one percept at a time, and expects what `TemVae.predict` would.

    It keeps the codes and location codes of everything observed; the n-th step takes time in proportion to n.
    With a capacity both are bounded: memories that are close in both codes are merged, as `Remembered` says.
    It uses the weights that the model has when the walk begins.

    Args:
        model: The trained model, in evaluation mode.
        capacity: The most memories to keep; None to keep all.

    Raises:
        ValueError: The capacity is too small to merge anything.
    """

    def __init__(self, model: TemVae, capacity: int | None = None) -> None:
        check_capacity(capacity)
        self.model = model
        self.capacity = capacity
        self._walk: _Walk | None = None

    def reset(self) -> None:
        """Forget everything: the next percept is the first of a walk in another world."""
        self._walk = None

    @torch.no_grad()
    def observe(self, percept: Tensor, action: int | Tensor | None = None) -> Expectation:
        """What was to be expected at this step; then its percept is remembered, unless it is missing.

        Args:
            percept: (*batch, *percept_shape); *batch are walks side by side. A NaN in it says
                that it is missing: the walk has moved, and saw nothing there.
            action: What led here from the last percept, one for all walks or (*batch) of them; None for the
                first percept. It is a number, or a vector of A numbers where actions are real-valued.

        Raises:
            ValueError: An action is given for the first percept or none for a later one, there is no such
                action, or shapes or dtypes do not fit.
        """
        self.model.check_percepts(percept)
        walk = self._begin(percept, action) if self._walk is None else self._move(self._walk, action)
        check_next_percept(percept, self.model.encoder.percept_shape, walk.here.code.shape[:-1])
        expectation = self._expect(walk)
        code, seen = self.model.encode(percept)
        walk.remembered.append(code, walk.here.code, seen)
        self._walk = walk
        return expectation

    @torch.no_grad()
    def expect(self, action: int | Tensor) -> Expectation:
        """What is to be expected if this action is taken next; nothing is remembered.

        Args:
            action: One for all walks or (*batch) of them.

        Raises:
            ValueError: Nothing was observed yet, there is no such action, or its shape does not fit.
        """
        if self._walk is None:
            raise ValueError("nothing was observed yet; call observe(percept) with the first percept.")
        return self._expect(self._move(self._walk, action))

    @property
    def location(self) -> Tensor:
        """The location code of where the walk stands, (*batch, G).

        Raises:
            ValueError: Nothing was observed yet.
        """
        return self._begun().here.code

    @property
    def counts(self) -> Tensor:
        """How many percepts each memory stands for, the older first, (*batch, memories); 0 for a missing one.

        Raises:
            ValueError: Nothing was observed yet.
        """
        return self._begun().remembered.counts

    def _begun(self) -> _Walk:
        if self._walk is None:
            raise ValueError("a walk begins with its first percept; call observe(percept) first.")
        return self._walk

    def _batch_of(self, percept: Tensor) -> torch.Size:
        return percept.shape[: percept.ndim - len(self.model.encoder.percept_shape)]

    def _begin(self, percept: Tensor, action: int | Tensor | None) -> _Walk:
        if action is not None:
            raise ValueError(f"no action leads to the first percept of a walk, but action is {action}.")
        integrator = self.model.integrator
        here = integrator.start(*self._batch_of(percept))
        (code, _), factorization = self.model.encode(percept), self.model.metric.factorize()
        embed = partial(self.model.embed, embedding=factorization.embedding)
        remembered = Remembered(self.model.memory, factorization, embed, code, here.code, self.capacity)
        return _Walk(here, remembered)

    def _move(self, walk: _Walk, action: int | Tensor | None) -> _Walk:
        integrator = self.model.integrator
        action = check_action(integrator, action, walk.here.code.shape[:-1])
        return _Walk(integrator.step(walk.here, action), walk.remembered)

    def _expect(self, walk: _Walk) -> Expectation:
        remembered = walk.remembered
        log_weights = remembered.log_weights(walk.here.code)
        novelty = self.model.memory.novelty(log_weights[..., 0], remembered.counts)
        percept = self.model.decode(remembered.mode(log_weights))
        return Expectation(log_weights[..., 1:].exp(), novelty, percept)
