"""A belief about where a walk is, when what was recorded is not always what happened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tem_vae.model.belief_prior import BeliefPrior
from tem_vae.model.belief_rows import MOST_KEPT, KeptRows, RepeatedRows
from tem_vae.model.densities import Densities, Memories
from tem_vae.model.hypotheses import Draws, Expected, Hypotheses, Weights
from tem_vae.model.motion import MotionNoise
from tem_vae.model.parts import Integrator, Memory, take_rows
from tem_vae.model.persistent_slips import PersistentSlips
from tem_vae.model.slips import ActionSlips
from tem_vae.model.walk_prior import WalkPrior

AnySlips = ActionSlips | PersistentSlips | MotionNoise


class Samples(NamedTuple):
    """Posterior samples z of a percept, and what they say about how dense it is.

    Attributes:
        whitened: Their whitened coordinates, (batch, samples, M).
        log_ratios: log p(x|z) − log q(z|x), float64, (batch, samples); 0 where the percept is missing.
    """

    whitened: Tensor
    log_ratios: Tensor


@dataclass(frozen=True, eq=False)
class BeliefTrace:
    """What was believed along walks.

    Attributes:
        prior: What was expected of every step before it was perceived, on average over the belief.
        log_evidence: Log p(x_t | past) of every step by the weights of hypotheses, nats, (batch, time): the
            exponential of its sum over a walk has p(x_1..x_T | recorded actions) as its expectation.
        wrong: The probability, once x_t is perceived, that the action that led there is not what was
            recorded, (batch, time - 1); 0 of real-valued actions.
        location: The mean location code once x_t is perceived, (batch, time, G).
        spread: The mean squared distance of location codes from it, (batch, time); 0 where one is sure.
        entropy: Of the hypotheses once x_t is perceived, nats, (batch, time).
        log_weights: Of the hypotheses at the end, normalised, (batch, H): H is up to 16 K where walks are
            short, and K after 1,000 steps.
        actions: What happened by each of them, (batch, H, time - 1) or (batch, H, time - 1, A).
    """

    prior: BeliefPrior
    log_evidence: Tensor
    wrong: Tensor
    location: Tensor
    spread: Tensor
    entropy: Tensor
    log_weights: Tensor
    actions: Tensor

    @property
    def best_actions(self) -> Tensor:
        """What happened by the heaviest hypothesis: the best explanation in hindsight, (batch, time - 1)."""
        return take_rows(self.actions, self.log_weights.argmax(dim=-1, keepdim=True)).squeeze(1)


class Belief(nn.Module):
    """Hypotheses about what happened, weighted by how well the memory of each foresees percepts.

    Every hypothesis is extended by every action that may have happened, weighted by the density of the
    percept that its own memory expects there; then ``hypotheses`` of them are kept, without bias, by
    `stratified_choice`.

    Args:
        slips: p(what happened | recorded action).
        hypotheses: K.
        samples: Posterior samples that estimate the density of a percept.
    """

    slips: AnySlips

    def __init__(self, slips: AnySlips, hypotheses: int, samples: int) -> None:
        super().__init__()
        self.slips = slips
        self.hypotheses = hypotheses
        self.samples = samples

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return self.slips.scalars()

    @torch.no_grad()
    def forward(
        self,
        actions: Tensor,
        integrator: Integrator,
        memory: Memory,
        told: WalkPrior,
        samples: Iterable[Samples],
        draws: Draws,
        evenly: bool,
    ) -> BeliefTrace:
        """Follow walks from their beginning.

        Args:
            actions: As recorded, (batch, time - 1) or (batch, time - 1, A).
            integrator: From actions to location codes.
            memory: How near location codes are.
            told: The prior if every recorded action happened.
            samples: Of the percept of every step.
            draws: Decide which hypotheses are kept.
            evenly: Whether more are followed where walks begin, as `Hypotheses` has it.
        """
        course = _Course(self, actions, integrator, memory, told, draws, evenly)
        hypotheses, null = course.begin(), torch.ones_like(told.seen, dtype=told.null_logit.dtype)
        densities, memories = Densities(told), Memories.of(told)
        believed, kept = [], [course.nothing]
        for step, (whitened, log_ratios) in enumerate(samples):
            log_null = told.null_logit if step else torch.zeros_like(told.null_logit)
            density = densities.at(whitened, memories.beginning(step), log_null).averaged(log_ratios)
            if not step:
                believed.append(hypotheses.begin(density, told.seen[:, 0]))
                continue
            expected = course.expect(hypotheses, step)
            null[:, step] = expected.null_weight
            if course.is_short:
                kept.append(expected.near)
            believed.append(hypotheses.perceive(expected.branches, density, told.seen[:, step]))
            course.choices.append((hypotheses.chosen, hypotheses.log_weights))
        rows = KeptRows(kept) if course.is_short else RepeatedRows(course.repeat)
        found = [torch.stack(column, dim=1) for column in zip(*believed, strict=True)]
        log_evidence, wrong, location, spread, entropy = found
        return BeliefTrace(
            BeliefPrior(told, rows, null),
            log_evidence,
            wrong[:, 1:],
            location,
            spread,
            entropy,
            hypotheses.log_weights.log_softmax(-1),
            hypotheses.trace_back(),
        )


class _Course:
    """Walks that a belief follows, perhaps more than once.

    Attributes:
        choices: Which candidates were kept at every step but the first, and their log weights.
    """

    def __init__(
        self,
        belief: Belief,
        actions: Tensor,
        integrator: Integrator,
        memory: Memory,
        told: WalkPrior,
        draws: Draws,
        evenly: bool,
    ) -> None:
        self.belief, self.actions, self.integrator, self.memory = belief, actions, integrator, memory
        self.told, self.draws, self.evenly = told, draws, evenly
        self.choices: list[tuple[Tensor, Tensor]] = []

    @property
    def is_short(self) -> bool:
        """Whether near weights of all pairs of steps may be kept."""
        return self.told.seen.numel() * self.told.seen.shape[1] <= MOST_KEPT

    @property
    def nothing(self) -> Tensor:
        """Near weights at the first step, (batch, 0)."""
        return self.told.null_logit.new_zeros(len(self.told.seen), 0)

    def begin(self) -> Hypotheses:
        """One hypothesis, that has gone nowhere yet."""
        belief, told = self.belief, self.told
        weights, walks = Weights(told.background_logit, told.null_logit), len(told.seen)
        return Hypotheses(
            belief.slips,
            self.integrator,
            self.memory.nearness,
            weights,
            belief.hypotheses,
            walks,
            self.draws,
            self.evenly,
        )

    def expect(self, hypotheses: Hypotheses, step: int) -> Expected:
        """What hypotheses expect of a step, after the action that was recorded."""
        return hypotheses.expect(self.actions[:, step - 1], self.told.seen[:, :step])

    @torch.no_grad()
    def repeat(self) -> Iterator[Tensor]:
        """Near weights at every step, (batch, step), by the choices that were made."""
        hypotheses = self.begin()
        yield self.nothing
        for step, (chosen, log_weights) in enumerate(self.choices, start=1):
            expected = self.expect(hypotheses, step)
            yield expected.near
            hypotheses.keep(expected.branches, chosen, log_weights)
