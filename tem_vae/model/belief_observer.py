"""The model carried along a walk step by step, where what was recorded is not always what happened."""

from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.model.checks import check_action, check_next_percept
from tem_vae.model.hypotheses import Believed, Branches, Draws, Expected, Hypotheses
from tem_vae.model.observer import Expectation
from tem_vae.model.recollections import Recollections
from tem_vae.model.remembered import check_capacity
from tem_vae.model.tem_vae import TemVae


class _Walk(NamedTuple):
    """Walks so far.

    Attributes:
        batch: How the walks are arranged.
        recollections: What was observed.
        hypotheses: Where.
        draws: What decides posterior samples and which hypotheses are kept.
        believed: What was made of the last percept.
    """

    batch: torch.Size
    recollections: Recollections
    hypotheses: Hypotheses
    draws: Draws
    believed: Believed


class BeliefObserver:
    """Takes a trained model on a walk, one percept at a time, and doubts the actions that it is told.

    It expects what `TemVae.predict` with as many hypotheses, and as much persistence, would, from the same
    seed of torch's generator.
    A step takes time in proportion to hypotheses times memories. With a capacity there are at most so many
    memories: those that are close are merged, as `Recollections` says; and what happened is known of so many
    steps only.

    Args:
        model: The trained model, in evaluation mode.
        hypotheses: How many ways in which a walk may have gone to follow at once; None as the model does.
        slip_rate: The share of recorded actions that are not what happened; None for what was learned.
        motion_noise: The deviation of real-valued actions, in their unit; None for what was learned.
        persistence: The probability that a numbered action goes on; None for what was learned, or 0, with
            which steps are independent.
        capacity: The most memories to keep; None to keep all.

    Raises:
        ValueError: The capacity is too small to merge anything, or actions cannot be doubted.
    """

    def __init__(
        self,
        model: TemVae,
        hypotheses: int | None = None,
        slip_rate: float | None = None,
        motion_noise: float | None = None,
        persistence: float | None = None,
        capacity: int | None = None,
    ) -> None:
        check_capacity(capacity)
        self.model = model
        self.capacity = capacity
        self._belief = model.doubt(hypotheses, slip_rate, motion_noise, persistence)
        self._walk: _Walk | None = None

    def reset(self) -> None:
        """Forget everything: the next percept is the first of a walk in another world."""
        self._walk = None

    @torch.no_grad()
    def observe(self, percept: Tensor, action: int | Tensor | None = None) -> Expectation:
        """What was to be expected at this step; then its percept is weighed and remembered.

        Args:
            percept: (*batch, *percept_shape); *batch are walks side by side. A NaN in it says
                that it is missing: the walk has moved, and saw nothing there.
            action: What was recorded of how it came here from the last percept, one for all walks or
                (*batch) of them; None for the first percept.

        Raises:
            ValueError: An action is given for the first percept or none for a later one, there is no such
                action, or shapes or dtypes do not fit.
        """
        self.model.check_percepts(percept)
        percept_shape = self.model.encoder.percept_shape
        batch = percept.shape[: percept.ndim - len(percept_shape)]
        flat = percept.reshape(-1, *percept_shape)
        if self._walk is None:
            return self._begin(batch, flat, action)
        walk = self._walk
        check_next_percept(percept, percept_shape, walk.batch)
        expected = self._expect(walk, action)
        expectation = self._describe(walk, expected.near, expected.null_weight)
        self._walk = walk._replace(believed=self._perceive(walk, flat, expected.branches))
        return expectation

    @torch.no_grad()
    def expect(self, action: int | Tensor) -> Expectation:
        """What is to be expected if this action is recorded next; nothing is remembered.

        Args:
            action: One for all walks or (*batch) of them.

        Raises:
            ValueError: Nothing was observed yet, there is no such action, or its shape does not fit.
        """
        walk = self._begun()
        expected = self._expect(walk, action)
        return self._describe(walk, expected.near, expected.null_weight)

    @property
    def believed(self) -> Believed:
        """What is believed now, every entry with the batch shape of the walks.

        Raises:
            ValueError: Nothing was observed yet.
        """
        walk = self._begun()
        return Believed(*(entry.reshape((*walk.batch, *entry.shape[1:])) for entry in walk.believed))

    @property
    def log_weights(self) -> Tensor:
        """Of the hypotheses, normalised, (*batch, H); H falls to K in the first 1,000 steps.

        Raises:
            ValueError: Nothing was observed yet.
        """
        walk = self._begun()
        return walk.hypotheses.log_weights.log_softmax(dim=-1).reshape((*walk.batch, -1))

    @property
    def actions(self) -> Tensor:
        """What happened by each hypothesis, (*batch, H, steps): so far, or at the last steps of a capacity.

        Raises:
            ValueError: Nothing was observed yet.
        """
        walk = self._begun()
        happened = walk.hypotheses.trace_back()
        return happened.reshape((*walk.batch, *happened.shape[1:]))

    @property
    def best_actions(self) -> Tensor:
        """What happened by the heaviest hypothesis: the best explanation in hindsight, (*batch, steps).

        Raises:
            ValueError: Nothing was observed yet.
        """
        walk = self._begun()
        best, happened = walk.hypotheses.log_weights.argmax(dim=-1), walk.hypotheses.trace_back()
        actions = happened[torch.arange(len(best), device=best.device), best]
        return actions.reshape((*walk.batch, *actions.shape[1:]))

    @property
    def counts(self) -> Tensor:
        """How many percepts each memory stands for, the older first, (*batch, memories); 0 for a missing one.

        Raises:
            ValueError: Nothing was observed yet.
        """
        walk = self._begun()
        return walk.recollections.memories.counts.reshape((*walk.batch, -1))

    def _begun(self) -> _Walk:
        if self._walk is None:
            raise ValueError("a walk begins with its first percept; call observe(percept) first.")
        return self._walk

    def _begin(self, batch: torch.Size, percepts: Tensor, action: int | Tensor | None) -> Expectation:
        if action is not None:
            raise ValueError(f"no action leads to the first percept of a walk, but action is {action}.")
        model, belief = self.model, self._belief
        draws, start = Draws(percepts.device), model.integrator.start(len(percepts))
        factorization = model.metric.factorize()
        codes, _ = model.encode(percepts)
        recollections = Recollections(model.memory, factorization, self.capacity, codes, start.code)
        hypotheses = Hypotheses(
            belief.slips,
            model.integrator,
            model.memory.nearness,
            recollections.weights,
            belief.hypotheses,
            len(percepts),
            draws,
            evenly=True,
            history=self.capacity,
        )
        nothing = Believed(*[codes.new_zeros(len(codes))] * len(Believed._fields))
        walk = _Walk(batch, recollections, hypotheses, draws, nothing)
        expectation = self._describe(walk, codes.new_zeros(len(codes), 0), codes.new_ones(len(codes)))
        self._walk = walk._replace(believed=self._perceive(walk, percepts, None))
        return expectation

    def _expect(self, walk: _Walk, action: int | Tensor | None) -> Expected:
        actions = check_action(self.model.integrator, action, walk.batch)
        walks = len(walk.hypotheses.log_weights)
        of_one = actions.shape[len(self.model.integrator.batch_of(actions)) :]
        actions = actions.expand((*walk.batch, *of_one)).reshape(walks, *of_one)
        return walk.hypotheses.expect(actions, walk.recollections.memories.counts)

    def _perceive(self, walk: _Walk, percepts: Tensor, branches: Branches | None) -> Believed:
        recollections = walk.recollections
        codes, seen = self.model.encode(percepts)
        samples = self.model.sample(self._belief, percepts, codes, recollections.factorization, walk.draws)
        null = recollections.weights.null if branches else torch.zeros_like(recollections.weights.null)
        density = recollections.densities.at(samples.whitened, recollections.memories, null)
        density = density.averaged(samples.log_ratios)
        hypotheses = walk.hypotheses
        believed = (
            hypotheses.perceive(branches, density, seen) if branches else hypotheses.begin(density, seen)
        )
        recollections.append(codes, seen)
        recollections.make_room(hypotheses)
        return believed

    def _describe(self, walk: _Walk, near: Tensor, null_weight: Tensor) -> Expectation:
        weights = walk.recollections.weigh(near, null_weight)
        percepts = self.model.decode(
            self.model.embed(walk.recollections.mode(weights), walk.recollections.factorization.embedding)
        )
        # What the background weighs is spread over all memories, and is novelty, too.
        novelty = weights.sum(dim=-1) - near.sum(dim=-1)
        described = (weights[:, 1:], novelty, percepts)
        return Expectation(*(entry.reshape((*walk.batch, *entry.shape[1:])) for entry in described))
