"""A belief about where a walk is, when what was recorded is not always what happened."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tem_vae.geometry.precision import matmul
from tem_vae.model.belief_prior import BeliefPrior
from tem_vae.model.densities import Densities
from tem_vae.model.parts import Integrator, Location, Memory
from tem_vae.model.paths import Paths, Places, distinct_places
from tem_vae.model.slips import ActionSlips
from tem_vae.model.stratified import stratified_choice
from tem_vae.model.walk_prior import WalkPrior


@dataclass(frozen=True, eq=False)
class BeliefTrace:
    """What was believed along walks.

    Attributes:
        prior: What was expected of every step before it was perceived, on average over the belief.
        log_evidence: Log p(x_t | past) of every step by the weights of hypotheses, nats, (batch, time): the
            exponential of its sum over a walk has p(x_1..x_T | recorded actions) as its expectation.
        wrong: The probability, once x_t is perceived, that the action that led there is not what was
            recorded, (batch, time - 1).
        location: The mean location code once x_t is perceived, (batch, time, G).
        spread: The mean squared distance of location codes from it, (batch, time); 0 where one is sure.
        entropy: Of the hypotheses once x_t is perceived, nats, (batch, time).
        log_weights: Of the hypotheses at the end, normalised, (batch, K).
        actions: What happened by each of them, (batch, K, time - 1).
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
        best = self.log_weights.argmax(dim=-1)
        return self.actions[torch.arange(len(best), device=best.device), best]

    def draw_actions(self) -> Tensor:
        """What happened by a hypothesis drawn by its weight, (batch, time - 1)."""
        drawn = torch.multinomial(self.log_weights.exp(), 1).squeeze(-1)
        return self.actions[torch.arange(len(drawn), device=drawn.device), drawn]


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

    def __init__(self, slips: ActionSlips, hypotheses: int, samples: int) -> None:
        super().__init__()
        self.slips = slips
        self.hypotheses = hypotheses
        self.samples = samples

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return {"belief/slip_rate": self.slips.rate}

    @torch.no_grad()
    def forward(
        self,
        actions: Tensor,
        integrator: Integrator,
        memory: Memory,
        told: WalkPrior,
        whitened: Tensor,
        log_ratios: Tensor,
    ) -> BeliefTrace:
        """Follow walks from their beginning.

        Args:
            actions: As recorded, (batch, time - 1).
            integrator: From actions to location codes.
            memory: How near location codes are.
            told: The prior if every recorded action happened.
            whitened: Whitened coordinates of posterior samples z, (samples, batch, time, M).
            log_ratios: log p(x|z) − log q(z|x) of the samples, (samples, batch, time); 0 at steps without a
                percept.
        """
        follower = _Follower(self, integrator, memory, told, Densities(told, whitened), log_ratios)
        for step in range(1, whitened.shape[-2]):
            follower.move(step, actions[:, step - 1])
        return follower.trace()


class _Follower:
    """The state of a belief while it follows a batch of walks."""

    def __init__(
        self,
        belief: Belief,
        integrator: Integrator,
        memory: Memory,
        told: WalkPrior,
        densities: Densities,
        log_ratios: Tensor,
    ) -> None:
        self.belief, self.integrator, self.memory, self.told = belief, integrator, memory, told
        self.densities, self.log_ratios = densities, log_ratios
        batch, steps = told.seen.shape
        K = belief.hypotheses
        start = integrator.start(batch)
        self.paths = Paths(start.code, K, steps)
        self.phases = start.phases.unsqueeze(1).expand(-1, K, -1)
        new = start.code.new_zeros
        self.log_weights = torch.full((batch, K), -torch.inf, dtype=torch.float64, device=start.code.device)
        self.log_weights[:, 0] = 0
        self.near, self.null = new(batch, steps, steps), new(batch, steps)
        self.null[:, 0] = 1
        self.log_evidence = new(batch, steps, dtype=torch.float64)
        first = densities.at(0, told.null_logit.new_zeros(())).averaged(log_ratios[:, :, 0].mT.double())
        density = first.log_mixed(first.novel.new_zeros(())).flatten()
        self.log_evidence[:, 0] = torch.where(told.seen[:, 0], density, 0)
        self.wrong, self.entropy, self.spread = new(batch, steps - 1), new(batch, steps), new(batch, steps)
        self.location = start.code.unsqueeze(1).repeat(1, steps, 1)
        self.ancestors = torch.zeros(batch, steps, K, dtype=torch.long, device=start.code.device)
        self.happened: list[Tensor] = []

    def move(self, step: int, recorded: Tensor) -> None:
        """Take one recorded action and the percept that followed it."""
        K = self.belief.hypotheses
        candidates, log_slip = self.belief.slips.candidates(recorded, K)
        count = candidates.shape[2]
        phases = self.phases.unsqueeze(2).expand(-1, -1, count, -1)
        there = self.integrator.step(Location(phases, phases), candidates)
        log_prior = (self.log_weights.unsqueeze(-1) + log_slip).flatten(1)
        places = distinct_places(there)
        near = self._weigh(places)
        evidence, total = self._foresee(step, near)
        self._expect(step, log_prior, near, total)
        joint = log_prior + evidence
        self.log_evidence[:, step] = joint.logsumexp(-1)
        posterior = joint.log_softmax(-1)
        self._describe(step, posterior.exp(), candidates != recorded[:, None, None], places)
        chosen, self.log_weights = stratified_choice(posterior, K)
        self.phases = _take(there.phases.flatten(1, 2), chosen)
        self.ancestors[:, step] = chosen // count
        self.happened.append(candidates.flatten(1).gather(1, chosen))
        self.paths.extend(chosen // count, places.chosen(chosen))

    def _weigh(self, places: Places) -> Tensor:
        """Near weights at candidate locations, (batch, K C, step); not 0 where nothing was seen."""
        return self.paths.compare(places, self.memory.nearness).flatten(1, 2)

    def _expect(self, step: int, log_prior: Tensor, near: Tensor, total: Tensor) -> None:
        """What is expected of the percept, on average over what may have happened."""
        share = log_prior.softmax(-1) / total
        mean = matmul(share.to(near.dtype).unsqueeze(1), near).squeeze(1)
        self.near[:, step, :step] = mean * self.told.seen[:, :step]
        self.null[:, step] = share.sum(dim=-1) * self.told.null_logit.exp()

    def _foresee(self, step: int, near: Tensor) -> tuple[Tensor, Tensor]:
        """How dense the percept is at candidate locations, and sums of all weights there.

        Returns:
            Log mean_k p(x|z_k) p(z_k)/q(z_k|x) and the sums, (batch, K C) each; the former is 0 if there is
            no percept.
        """
        seen, novel = self.told.seen, self.log_ratios.new_zeros(())
        density = self.densities.at(step, self.told.null_logit.to(novel))
        density = density.averaged(self.log_ratios[:, :, step].mT.double())
        columns = torch.cat([density.there * seen[:, :step, None], seen[:, :step, None]], dim=-1)
        found, total = matmul(near, columns.to(near.dtype)).double().unbind(-1)
        background = torch.where(seen[:, :step].any(dim=-1), self.told.background_logit.exp(), 0)
        total = total + background.unsqueeze(-1) + self.told.null_logit.exp()
        log_density = density.log_mixed(found.unsqueeze(-1)).squeeze(-1) - total.log()
        return torch.where(seen[:, step, None], log_density, 0), total

    def _describe(self, step: int, posterior: Tensor, wrong: Tensor, places: Places) -> None:
        """What is believed once the percept is known."""
        self.wrong[:, step - 1] = (posterior * wrong.flatten(1)).sum(dim=-1)
        self.entropy[:, step] = torch.special.entr(posterior).sum(dim=-1)
        codes = places.codes
        share = codes.new_zeros(codes.shape[:2], dtype=posterior.dtype)
        share.scatter_add_(1, places.numbers.flatten(1), posterior)
        mean = matmul(share.to(codes.dtype).unsqueeze(1), codes).squeeze(1)
        self.location[:, step] = mean
        self.spread[:, step] = (1 - mean.square().sum(dim=-1)).clamp_min(0)

    def trace(self) -> BeliefTrace:
        """What was believed, from the beginning to here."""
        return BeliefTrace(
            BeliefPrior(self.told, self.near, self.null),
            self.log_evidence,
            self.wrong,
            self.location,
            self.spread,
            self.entropy,
            self.log_weights.log_softmax(-1),
            self._trace_back(),
        )

    def _trace_back(self) -> Tensor:
        """What happened by each of the last hypotheses, (batch, K, time - 1)."""
        slots = torch.arange(self.belief.hypotheses, device=self.phases.device).expand(len(self.phases), -1)
        found = []
        for step in range(len(self.happened), 0, -1):
            found.append(self.happened[step - 1].gather(1, slots))
            slots = self.ancestors[:, step].gather(1, slots)
        return torch.stack(found[::-1], dim=-1) if found else slots.new_zeros(*slots.shape, 0)


def _take(rows: Tensor, index: Tensor) -> Tensor:
    """Rows (batch, n, D) by their numbers (batch, K), (batch, K, D)."""
    return rows.gather(1, index.unsqueeze(-1).expand(-1, -1, rows.shape[-1]))
