"""Weighted hypotheses about what happened on walks, carried along step by step."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul
from tem_vae.model.densities import Density
from tem_vae.model.parts import Integrator, take_rows
from tem_vae.model.paths import Paths
from tem_vae.model.places import Places
from tem_vae.model.slips import Slips, SlipState
from tem_vae.model.stratified import stratified_choice

# Steps after which K hypotheses are followed, and how many times as many there are before, at most.
_EVEN_AT, _MOST = 1_000, 16


class Draws:
    """Random numbers of a belief: the same along whole walks and step by step. torch's generator seeds them.

    Args:
        device: Where they are wanted.
    """

    def __init__(self, device: torch.device) -> None:
        *seeds, self._seed = torch.randint(2**62, (3,)).tolist()
        self._device = device
        self._noise, self.choices = (torch.Generator(device).manual_seed(seed) for seed in seeds)

    def motion(self, step: int) -> torch.Generator:
        """Of what may have happened at a step: the same each time it is asked for."""
        return torch.Generator(self._device).manual_seed(self._seed + step)

    def noise(self, like: Tensor, *shape: int) -> Tensor:
        """Normal noise of one step."""
        return torch.randn(shape, generator=self._noise, dtype=like.dtype, device=like.device)


class Weights(NamedTuple):
    """The logits of memory weights that are no nearness.

    Attributes:
        background: That all memories share evenly, ().
        null: Of the null component, ().
    """

    background: Tensor
    null: Tensor


class Expected(NamedTuple):
    """What is expected of a step before it is perceived, on average over what may have happened.

    Attributes:
        near: n_s of every memory s, (batch, memories).
        null_weight: Of the null component, (batch).
        branches: What may have happened: all candidates of all hypotheses.
    """

    near: Tensor
    null_weight: Tensor
    branches: "Branches"


class Branches(NamedTuple):
    """All candidates, C of each hypothesis.

    Attributes:
        actions: What may have happened, (batch, K C) or (batch, K C, A).
        wrong: Whether that is not what was recorded, (batch, K C).
        places: Where it leads, numbers of shape (batch, K C).
        log_prior: Log probabilities before the percept is known, (batch, K C); their sum may differ from 1
            by what the choice of hypotheses did to it.
        near: Near weights of the memories there, (batch, K C, memories); of 1 for each, however many percepts
            it stands for.
        total: Sums of all weights there, (batch, K C).
        filtered: As `Candidates` has it.
    """

    actions: Tensor
    wrong: Tensor
    places: Places
    log_prior: Tensor
    near: Tensor
    total: Tensor
    filtered: Tensor | None


class Believed(NamedTuple):
    """What is believed once a percept is known.

    Attributes:
        log_evidence: Log p(x_t | past) by the weights of hypotheses, nats, (batch).
        wrong: The probability that the last action was not what was recorded, (batch).
        location: The mean location code, (batch, G).
        spread: The mean squared distance of location codes from it, (batch).
        entropy: Of the hypotheses, nats, (batch).
    """

    log_evidence: Tensor
    wrong: Tensor
    location: Tensor
    spread: Tensor
    entropy: Tensor


class Hypotheses:
    """K ways in which each of several walks may have gone, with their weights.

    Args:
        slips: p(what happened | recorded action).
        integrator: From actions to location codes.
        nearness: How near location codes are, from their products g · g'.
        weights: The other logits of memory weights.
        count: K.
        walks: How many walks there are.
        draws: Decide which hypotheses are kept.
        evenly: Whether more of numbered actions are followed in the first 1,000 steps: as many as make a step
            as much work as later ones, at most 16 K. That is where they are needed: while no place is known
            nothing tells what happened, and an error made then stays in the map.
        history: Of how many steps what happened is kept; None for all.

    Attributes:
        log_weights: Of the hypotheses; their sum may differ from 1 by what the choice did to it, (batch, K).
        chosen: Which candidates of the last step they were, (batch, K).
    """

    def __init__(
        self,
        slips: Slips,
        integrator: Integrator,
        nearness: Callable[[Tensor], Tensor],
        weights: Weights,
        count: int,
        walks: int,
        draws: Draws,
        evenly: bool,
        history: int | None = None,
    ) -> None:
        self.slips, self.integrator, self.nearness, self.weights = slips, integrator, nearness, weights
        self.count, self.draws, self._most = count, draws, _MOST if evenly and slips.returns else 1
        start = integrator.start(walks)
        self.start = start.code
        self.paths = Paths(start, slips.returns)
        self.log_weights = torch.zeros(walks, 1, dtype=torch.float64, device=start.code.device)
        self.chosen = torch.zeros(walks, 1, dtype=torch.long, device=start.code.device)
        self._step = 0
        self._state: SlipState | None = None
        self._ancestors: deque[Tensor] = deque(maxlen=history)
        self._happened: deque[Tensor] = deque(maxlen=history)

    def expect(self, recorded: Tensor, counts: Tensor) -> Expected:
        """What to expect after one more recorded action; nothing is changed.

        Args:
            recorded: One action of each walk, (batch) or (batch, A).
            counts: How many percepts each memory stands for, (batch, memories).
        """
        generator = self.draws.motion(self._step)
        here = self.paths.here
        found = self.slips.branch(self.integrator, here, recorded, generator, self._state)
        there = found.there
        near = self.paths.compare(there, self.nearness).flatten(1, 2)
        counts = counts.to(near.dtype)
        background = torch.where(counts.sum(dim=-1) > 0, self.weights.background.exp(), 0)
        total = matmul(near, counts.unsqueeze(-1)).squeeze(-1).double()
        total = total + background.unsqueeze(-1) + self.weights.null.exp()
        log_prior = (self.log_weights.unsqueeze(-1) + found.log_prob).flatten(1)
        share = log_prior.softmax(-1) / total
        mean = matmul(share.to(near.dtype).unsqueeze(1), near).squeeze(1) * counts
        branches = Branches(
            found.actions.flatten(1, 2),
            found.wrong.flatten(1),
            Places(there.location, there.numbers.flatten(1)),
            log_prior,
            near,
            total,
            found.filtered,
        )
        return Expected(mean, share.sum(dim=-1) * self.weights.null.exp(), branches)

    def begin(self, density: Density, seen: Tensor) -> Believed:
        """Take the first percept, which every hypothesis foresees as it foresees any new place.

        Args:
            density: Of one code: that of the percept.
            seen: False of walks whose percept is missing, (batch).
        """
        nothing = self.start.new_zeros(len(seen), 1, 0)
        evidence = torch.where(seen, density.log_numerator(nothing).flatten(), 0)
        zero = self.start.new_zeros(len(seen))
        return Believed(evidence, zero, self.start, zero, zero)

    @property
    def wanted(self) -> int:
        """How many to keep at the step that comes now."""
        return max(self.count, min(self._most * self.count, self.count * _EVEN_AT // (1 + self._step)))

    def perceive(self, branches: Branches, density: Density, seen: Tensor) -> Believed:
        """Weigh candidates by how they foresee a percept, and keep K of them.

        Args:
            branches: The candidates.
            density: Of one code: that of the percept.
            seen: False of walks whose percept is missing, (batch).
        """
        evidence = density.log_numerator(branches.near).squeeze(-1) - branches.total.log()
        joint = branches.log_prior + torch.where(seen.unsqueeze(-1), evidence, 0)
        posterior = joint.log_softmax(-1)
        count = min(self.wanted, posterior.shape[1])
        chosen, log_weights = stratified_choice(posterior, count, self.draws.choices)
        self.keep(branches, chosen, log_weights)
        return self._describe(branches, posterior.exp(), joint.logsumexp(-1))

    def keep(self, branches: Branches, chosen: Tensor, log_weights: Tensor) -> None:
        """Go on with some of the candidates, by their numbers, and with log weights, (batch, K) each."""
        candidates = branches.log_prior.shape[1] // self.log_weights.shape[1]
        ancestors = chosen // candidates
        self.chosen, self.log_weights = chosen, log_weights
        self._ancestors.append(ancestors)
        happened = take_rows(branches.actions, chosen)
        self._happened.append(happened)
        self._state = SlipState(happened, branches.filtered)
        self._step += 1
        places = branches.places
        self.paths.extend(ancestors, Places(places.location, places.numbers.gather(1, chosen)))

    def _describe(self, branches: Branches, posterior: Tensor, log_evidence: Tensor) -> Believed:
        codes, numbers = branches.places.location.code, branches.places.numbers
        share = posterior.new_zeros(codes.shape[:2]).scatter_add_(1, numbers, posterior)
        mean = matmul(share.to(codes.dtype).unsqueeze(1), codes).squeeze(1)
        return Believed(
            log_evidence,
            (posterior * branches.wrong).sum(dim=-1).to(mean.dtype),
            mean,
            (1 - mean.square().sum(dim=-1)).clamp_min(0),
            torch.special.entr(posterior).sum(dim=-1).to(mean.dtype),
        )

    def overlaps(self) -> Tensor:
        """The mean over hypotheses of g_s · g_s' of all memories, (batch, memories, memories)."""
        return self.paths.overlaps(self.log_weights.softmax(dim=-1))

    def trace_back(self) -> Tensor:
        """What happened by each of the hypotheses, (batch, K, steps) or (batch, K, steps, A)."""
        walks, count = self.log_weights.shape
        slots = torch.arange(count, device=self.log_weights.device).expand(walks, -1)
        found = []
        for ancestors, happened in zip(reversed(self._ancestors), reversed(self._happened), strict=True):
            found.append(take_rows(happened, slots))
            slots = ancestors.gather(1, slots)
        return torch.stack(found[::-1], dim=2) if found else slots.new_zeros(*slots.shape, 0)
