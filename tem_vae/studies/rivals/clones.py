r"""A clone-structured hidden Markov model, learned by Baum-Welch on the walk itself.

After George et al. 2021, "Clone-structured graph representations enable flexible learning and vicarious
evaluation of cognitive maps", Nature Communications 12, 2392. Every class has states of its own, its clones,
and is all that they show; an action leads from state to state:

.. math:: p(x_1 .. x_T | a) = \sum_{z_t \in C(x_t)} \pi(z_1) \prod_t T^{a_t}_{z_t z_{t+1}}

so that only the blocks of T between the clones of two successive classes play a part at a step.

A walk in a world never met shares no state with earlier ones. So transitions are learned anew on every walk:
before every so many steps, by some sweeps of Baum-Welch over the steps so far, and by nothing later.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, concatenate
from tem_vae.studies.rivals.contract import Forecast, NotApplicableError, Point, Training, Trial
from tem_vae.studies.rivals.scores import score

_LEARN_EVERY = 50  # steps; so long are transitions kept
_SWEEPS = 5  # of Baum-Welch, each time; transitions go on from where they were
_NUMBERS_AT_ONCE = 30_000_000


class CloneModel:
    """Transitions of a batch of walks, a model for each.

    Args:
        walks: How many.
        actions: How many there are.
        classes: How many there are.
        clones: Of each class.
        pseudocount: Added to the expected count of every transition.
        generator: Draws the first counts: clones of a class must differ to become different.

    Attributes:
        transitions: T, from clone i of class k by action a to clone j of class l, (walks, actions, classes k,
            classes l, clones i, clones j); sums over l and j are 1.
    """

    def __init__(
        self,
        walks: int,
        actions: int,
        classes: int,
        clones: int,
        pseudocount: float,
        generator: torch.Generator,
    ) -> None:
        self.pseudocount = pseudocount
        shape = (walks, actions, classes, classes, clones, clones)
        self.transitions = _normalise(torch.rand(shape, generator=generator))
        self._counts = torch.empty_like(self.transitions)  # of a sweep: to ask for so much anew takes longer

    def forward(self, classes: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Messages p(z_t | x_1..x_t) over the clones of x_t, (walks, time, clones), and ln p(x_t | past).

        Args:
            classes: (walks, time).
            actions: (walks, time - 1).
        """
        message, log_probs = self._begin(len(classes))
        messages = [message]
        for block in self._blocks(classes, actions).unbind(dim=1):
            joint = (message.unsqueeze(1) @ block).squeeze(1)
            probability = joint.sum(dim=-1, keepdim=True)
            message = joint / probability
            messages.append(message)
            log_probs.append(probability.squeeze(-1).log())
        return torch.stack(messages, dim=1), torch.stack(log_probs, dim=1)

    def _begin(self, walks: int) -> tuple[Tensor, list[Tensor]]:
        """Every class, and every clone of it, is as likely at first."""
        n_classes, clones = self.transitions.shape[2], self.transitions.shape[-1]
        return torch.full((walks, clones), 1 / clones), [torch.full((walks,), 1 / n_classes).log()]

    def expect(self, message: Tensor, classes: Tensor, action: Tensor) -> Tensor:
        """Probabilities of the next class, (walks, classes), from messages, class and action of a step."""
        walks = torch.arange(len(classes))
        onward = self.transitions[walks, action, classes].sum(dim=-1)  # (walks, classes l, clones i)
        return (onward @ message.unsqueeze(-1)).squeeze(-1)

    def learn(self, classes: Tensor, actions: Tensor) -> Tensor:
        """One sweep of Baum-Welch; returns ln p of every walk before it, (walks,)."""
        messages, log_probs = self.forward(classes, actions)
        blocks = self._blocks(classes, actions)
        backward = [torch.ones_like(messages[:, 0])]
        for block in reversed(blocks.unbind(dim=1)[1:]):
            further = (block @ backward[-1].unsqueeze(-1)).squeeze(-1)
            backward.append(further / further.sum(dim=-1, keepdim=True))
        onward = torch.stack(backward[::-1], dim=1)
        together = messages[:, :-1].unsqueeze(-1) * blocks * onward.unsqueeze(-2)
        together /= together.sum(dim=(2, 3), keepdim=True)
        counts = self._counts.fill_(self.pseudocount)
        counts.index_put_(_steps(classes, actions), together, accumulate=True)
        self.transitions, self._counts = _normalise(counts), self.transitions
        return log_probs.sum(dim=1)

    def _blocks(self, classes: Tensor, actions: Tensor) -> Tensor:
        """Transitions between the clones of what was seen, (walks, time - 1, clones, clones)."""
        return self.transitions[_steps(classes, actions)]


def _steps(classes: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
    """Where the transitions of steps are: walk, action, class before and class after."""
    return torch.arange(len(classes))[:, None], actions, classes[:, :-1], classes[:, 1:]


def _normalise(counts: Tensor) -> Tensor:
    """Turn counts into probabilities of where a transition leads; even ones where nothing was counted."""
    total = counts.sum(dim=5, keepdim=True).sum(dim=3, keepdim=True)
    if (uncounted := total == 0).any():
        counts += uncounted
        total = counts.sum(dim=5, keepdim=True).sum(dim=3, keepdim=True)
    return counts.div_(total)


@dataclass(frozen=True)
class CloneForecaster:
    """Learns every walk that it is shown as it goes.

    Attributes:
        actions: How many there are.
        classes: How many there are.
        trial: The pseudocount, and the clones of a class.
        seed: Decides the first counts.
    """

    actions: int
    classes: int
    trial: Trial
    seed: int

    def forecast(self, walks: Walks) -> Forecast:
        """What is expected of every step, by transitions learned from the steps before it."""
        size = self.actions * (self.classes * self.trial.size) ** 2
        at_once = max(1, _NUMBERS_AT_ONCE // size)
        parts = [
            self._forecast(classes, actions)
            for classes, actions in zip(
                torch.split(walks.known("classes"), at_once), torch.split(walks.actions, at_once), strict=True
            )
        ]
        return Forecast(class_probabilities=torch.cat(parts))

    def _forecast(self, classes: Tensor, actions: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        pseudocount, clones = self.trial
        model = CloneModel(len(classes), self.actions, self.classes, clones, pseudocount, generator)
        expected = [torch.full((len(classes), self.classes), 1 / self.classes)]
        for first in range(0, actions.shape[1], _LEARN_EVERY):
            for _ in range(_SWEEPS if first else 0):
                model.learn(classes[:, : first + 1], actions[:, :first])
            last = min(first + _LEARN_EVERY, actions.shape[1])
            messages, _ = model.forward(classes[:, : last + 1], actions[:, :last])
            expected += [
                model.expect(messages[:, t], classes[:, t], actions[:, t]) for t in range(first, last)
            ]
        return torch.stack(expected, dim=1)


class CloneRival:
    """The clones as a rival: there is nothing to train before a walk begins."""

    title = "clones (CSCG)"
    source = "George et al. 2021"
    size = "clones of a class"
    own_walks = False
    trials: Sequence[Trial] = (Trial(1e-3, 8), Trial(1e-3, 24), Trial(3e-2, 8), Trial(3e-2, 24))

    def train(self, config: TrainConfig, trial: Trial, budget: float) -> Training:
        """Learn the walks of validation, each as it goes; the seconds are what that takes.

        Raises:
            NotApplicableError: Percepts have no classes, or actions no numbers.
        """
        walks, validation, _ = config.data.build()
        n_actions = config.data.walk_shape.n_actions
        if walks.n_classes is None or n_actions is None:
            raise NotApplicableError("clones are of classes, and are led on by numbered actions")
        forecaster = CloneForecaster(n_actions, walks.n_classes, trial, config.seed)
        batches = validation.batches()
        held_out = concatenate([batches[i] for i in range(len(batches))])
        start = time.process_time()
        scores = score(forecaster, [held_out], walks)
        seconds = time.process_time() - start
        point = Point(seconds, 0, scores["class_nats"], scores["revisit"], scores["zero_shot"])
        learned = n_actions * (walks.n_classes * trial.size) ** 2
        return Training(forecaster, [point], seconds, held_out.mask.numel(), learned)
