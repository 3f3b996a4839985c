"""What may have happened where an action was recorded, if actions come in runs."""

import math

import torch
from torch import Tensor, nn

from tem_vae.model.parts import Integrator
from tem_vae.model.places import Places
from tem_vae.model.slips import ActionSlips, Candidates, SlipState

# What an estimate may come to, so that every action remains possible.
_MOST = 0.99


class PersistentSlips(nn.Module):
    r"""Wrongly recorded actions of walkers that go straight on.

    .. math:: p(a_t | a_{t-1}) = \pi\,[a_t = a_{t-1}] + (1 - \pi)/A , \qquad p(r_t | a_t)

    the latter a table that starts as that of `ActionSlips`, of all actions alike. A path is weighed by
    p(a | r) = p(a) p(r | a)/p(r), whose last factor a forward filter over actions knows exactly. So a
    recorded action that breaks a run is doubted more than one that continues it.

    Args:
        n_actions: A.
        rate: The share of recorded actions that are replaced by any, in (0, 1).
        persistence: π, in (0, 1).
    """

    returns = True

    def __init__(self, n_actions: int, rate: float, persistence: float) -> None:
        super().__init__()
        self.recorded = ActionSlips(n_actions, rate)
        self.logit = nn.Parameter(torch.tensor(math.log(persistence / (1 - persistence))))

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return {"belief/slip_rate": self.recorded.rate, "belief/persistence": self.persistence}

    @property
    def persistence(self) -> Tensor:
        """π, ()."""
        return self.logit.sigmoid()

    @property
    def log_transitions(self) -> Tensor:
        """Log p(a_t | a_{t-1}), (A, A), a_{t-1} in rows."""
        actions, persistence = len(self.recorded.logits), self.persistence
        stay = torch.eye(actions, dtype=persistence.dtype, device=persistence.device)
        return (persistence * stay + (1 - persistence) / actions).log()

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
            state: What happened before.
        """
        candidates = self.recorded.branch(integrator, here, recorded, generator, None)
        log_recorded = self._log_recorded(recorded)
        filtered, log_share = self._filter(log_recorded, state and state.filtered)
        if state is None:
            log_transition = torch.full_like(candidates.log_prob, -math.log(candidates.log_prob.shape[-1]))
        else:
            log_transition = self.log_transitions[state.happened]
        log_prob = log_transition + (log_recorded - log_share.unsqueeze(-1)).unsqueeze(1)
        return candidates._replace(log_prob=log_prob, filtered=filtered)

    def log_prob(self, happened: Tensor, recorded: Tensor) -> Tensor:
        """Log probability of what happened at every step, given the steps before, (batch, steps)."""
        filtered, shares = None, []
        log_recorded = self._log_recorded(recorded)
        for step in range(recorded.shape[1]):
            filtered, log_share = self._filter(log_recorded[:, step], filtered)
            shares.append(log_share)
        first = torch.full_like(log_recorded[:, :1, 0], -math.log(log_recorded.shape[-1]))
        log_transition = torch.cat([first, self.log_transitions[happened[:, :-1], happened[:, 1:]]], dim=1)
        chosen = log_recorded.gather(-1, happened.long().unsqueeze(-1)).squeeze(-1)
        return log_transition + chosen - torch.stack(shares, dim=1)

    def _log_recorded(self, recorded: Tensor) -> Tensor:
        """Log p(r | a) of every a, (*) -> (*, A)."""
        return self.recorded.log_table.mT[recorded.long()]

    def _filter(self, log_recorded: Tensor, filtered: Tensor | None) -> tuple[Tensor, Tensor]:
        """Log p(a_t | r_1..r_t), (batch, A), and log p(r_t | r_1..r_t-1), (batch)."""
        if filtered is None:
            predicted = torch.full_like(log_recorded, -math.log(log_recorded.shape[-1]))
        else:
            predicted = (filtered.unsqueeze(-1) + self.log_transitions).logsumexp(dim=-2)
        joint = predicted + log_recorded
        log_share = joint.logsumexp(dim=-1)
        return joint - log_share.unsqueeze(-1), log_share


def numbered_slips(actions: int, rate: float, persistence: float) -> ActionSlips | PersistentSlips:
    """The slips of numbered actions; with a persistence of 0, steps are independent.

    Args:
        actions: A.
        rate: The share of recorded actions that are replaced by any, in (0, 1).
        persistence: π, in [0, 1).
    """
    return PersistentSlips(actions, rate, persistence) if persistence else ActionSlips(actions, rate)


def estimate_persistence(recorded: Tensor, actions: int, rate: float) -> float:
    r"""π of `PersistentSlips`, by how often the same action is recorded twice in a row.

    Two recorded actions that were not replaced are as often the same as those that happened, and others by
    chance, so

    .. math:: p(r_t = r_{t-1}) - 1/A = (1 - \mathrm{rate})^2\, \pi\, (1 - 1/A) .

    Args:
        recorded: Actions of walks, (walks, steps); below 0 where there is none.
        actions: A.
        rate: The share of recorded actions that are replaced by any.

    Returns:
        In [0, 0.99]; 0 where no two steps follow each other, or actions go on no more than by chance.
    """
    before, after = recorded[:, :-1], recorded[:, 1:]
    counted = (before >= 0) & (after >= 0)
    pairs = int(counted.sum())
    if not pairs or actions == 1:
        return 0.0
    same = int(((before == after) & counted).sum()) / pairs
    found = (same - 1 / actions) / ((1 - rate) ** 2 * (1 - 1 / actions))
    return min(max(found, 0.0), _MOST)
