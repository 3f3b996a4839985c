"""The model carried along a walk step by step, as an agent does."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry import Factorization
from tem_vae.model.parts import Location
from tem_vae.model.tem_vae import TemVae


class Expectation(NamedTuple):
    """What memory leads one to expect after an action, before anything is perceived there.

    Attributes:
        memory_weights: w_ts of everything observed so far, oldest first, (*batch, memories).
        novelty: w_t0, the weight of the null component, (*batch).
        percept: The decoded mode of the memory prior, (*batch, *percept_shape).
    """

    memory_weights: Tensor
    novelty: Tensor
    percept: Tensor


@dataclass(frozen=True)
class _Walk:
    """A walk so far.

    Attributes:
        factorization: Of E when the walk began.
        here: Where it stands, (*batch).
        codes: Reference codes of what was observed, (*batch, memories, N).
        locations: Location codes of where, (*batch, memories, G).
    """

    factorization: Factorization
    here: Location
    codes: Tensor
    locations: Tensor


class Observer:
    """Takes a trained model on a walk, one percept at a time, and expects what `TemVae.predict` would.

    It keeps the codes and location codes of everything observed; the n-th step takes time in proportion to
    n². It uses the weights that the model has when the walk begins.

    Args:
        model: The trained model, in evaluation mode.
    """

    def __init__(self, model: TemVae) -> None:
        self.model = model
        self._walk: _Walk | None = None

    def reset(self) -> None:
        """Forget everything: the next percept is the first of a walk in another world."""
        self._walk = None

    @torch.no_grad()
    def observe(self, percept: Tensor, action: int | Tensor | None = None) -> Expectation:
        """What was to be expected at this step; then its percept is remembered.

        Args:
            percept: Standardised, (*batch, *percept_shape); *batch are walks side by side.
            action: What led here from the last percept, a number or (*batch); None for the first percept.

        Raises:
            ValueError: An action is given for the first percept or none for a later one, there is no such
                action, or shapes or dtypes do not fit.
        """
        self.model.check_percepts(percept)
        walk = self._begin(percept, action) if self._walk is None else self._move(self._walk, action)
        if self._batch_of(percept) != walk.here.code.shape[:-1]:
            shape = _batch(walk, *map(str, self.model.encoder.percept_shape))
            raise ValueError(
                f"percept must have shape {shape}, as the "
                f"first one of this walk, but its shape is {tuple(percept.shape)}; call reset() to begin "
                "another walk."
            )
        expectation = self._expect(walk)
        self._walk = _Walk(
            walk.factorization,
            walk.here,
            codes=torch.cat([walk.codes, self.model.encoder(percept).unsqueeze(-2)], dim=-2),
            locations=torch.cat([walk.locations, walk.here.code.unsqueeze(-2)], dim=-2),
        )
        return expectation

    @torch.no_grad()
    def expect(self, action: int | Tensor) -> Expectation:
        """What is to be expected if this action is taken next; nothing is remembered.

        Args:
            action: A number or (*batch).

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
        if self._walk is None:
            raise ValueError("a walk begins with its first percept; call observe(percept) first.")
        return self._walk.here.code

    def _batch_of(self, percept: Tensor) -> torch.Size:
        return percept.shape[: percept.ndim - len(self.model.encoder.percept_shape)]

    def _begin(self, percept: Tensor, action: int | Tensor | None) -> _Walk:
        if action is not None:
            raise ValueError(f"no action leads to the first percept of a walk, but action is {action}.")
        integrator = self.model.integrator
        here = integrator.start(*self._batch_of(percept))
        codes = self.model.encoder(percept).unsqueeze(-2)[..., :0, :]
        return _Walk(self.model.metric.factorize(), here, codes, here.code.unsqueeze(-2)[..., :0, :])

    def _move(self, walk: _Walk, action: int | Tensor | None) -> _Walk:
        if action is None:
            raise ValueError(
                "an action leads from one percept to the next; give the one that led here, or call reset() "
                "to begin another walk."
            )
        integrator = self.model.integrator
        action = torch.as_tensor(action, device=walk.codes.device)
        integrator.check_kind(action)
        integrator.check_values(action)
        if action.shape not in (torch.Size(()), walk.here.code.shape[:-1]):
            raise ValueError(
                f"action must be one number or have shape {_batch(walk)}, but its shape is "
                f"{tuple(action.shape)}."
            )
        return _Walk(walk.factorization, integrator.step(walk.here, action), walk.codes, walk.locations)

    def _expect(self, walk: _Walk) -> Expectation:
        model = self.model
        log_weights = model.memory.log_weights_at(walk.here.code.unsqueeze(-2), walk.locations)
        prior = model.memory.mixture(walk.codes, log_weights, walk.factorization)
        weights = prior.log_weights.exp().squeeze(-2)
        percept = model.decoder(model.embed(prior.mode, walk.factorization.embedding)).squeeze(-2)
        return Expectation(weights[..., 1:], weights[..., 0], percept)


def _batch(walk: _Walk, *more: str) -> str:
    """The batch shape of a walk, as one writes it."""
    return f"({', '.join([*map(str, walk.here.code.shape[:-1]), *more])})"
