"""What a rival must offer: a new one is one file that fits this page, and a line in `catalogue`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks


class Trial(NamedTuple):
    """A setting that the search of a rival tries.

    Attributes:
        learning_rate: The peak rate of AdamW; of the clones, which have none, the pseudocount.
        size: Of the model, in the unit that the rival says.
    """

    learning_rate: float
    size: int


@dataclass(frozen=True)
class Forecast:
    """What is expected of every step of a batch before its percept is seen; None is what a model cannot say.

    Attributes:
        class_probabilities: That the percept will be of each class, (batch, time, classes); rows sum to 1.
        classes: The class named where there are no probabilities, (batch, time); -1 names none.
        percepts: The percept expected, in the unit of those given, (batch, time, *percept_shape).
        log_density: ln p(x_t | past), in nats with all constants, or a lower bound of it, (batch, time).
    """

    class_probabilities: Tensor | None = None
    classes: Tensor | None = None
    percepts: Tensor | None = None
    log_density: Tensor | None = None

    @property
    def named(self) -> Tensor | None:
        """The likeliest class at every step, (batch, time)."""
        return self.classes if self.class_probabilities is None else self.class_probabilities.argmax(dim=-1)


class Forecaster(Protocol):
    """Something that foresees percepts, trained or not."""

    def forecast(self, walks: Walks) -> Forecast:
        """What is expected at step t, from percepts before t and actions up to the one that leads to t.

        Classes of `Walks` before t may be read by a model that is about classes, and never those from t on.
        """


class Point(NamedTuple):
    """A validation.

    Attributes:
        seconds: CPU-seconds of training before it, without earlier validations.
        updates: Before it.
        nats: Per percept, as `Forecast.log_density`; of the TEM VAE a bound.
        revisit: Accuracy at revisits; None where no classes are known.
        zero_shot: Accuracy at zero-shot links; None where no classes are known.
        decoded_r2_at_returns: Of the percepts expected; None where classes are known.
    """

    seconds: float
    updates: int
    nats: float | None
    revisit: float | None
    zero_shot: float | None
    decoded_r2_at_returns: float | None = None


@dataclass(frozen=True)
class Training:
    """A trained model and what it took.

    Attributes:
        forecaster: With the weights of the best validation.
        curve: Its validations, in order.
        seconds: CPU-seconds of training.
        walk_steps: Walk steps that it was trained on.
        parameters: Numbers that were learned.
    """

    forecaster: Forecaster
    curve: Sequence[Point]
    seconds: float
    walk_steps: int
    parameters: int


class Rival(Protocol):
    """A kind of model that takes part."""

    @property
    def title(self) -> str:
        """Its name in tables."""

    @property
    def source(self) -> str:
        """What it was written after."""

    @property
    def size(self) -> str:
        """What the size of a trial counts."""

    @property
    def trials(self) -> Sequence[Trial]:
        """The settings that its search tries; no search where there is one only."""

    @property
    def own_walks(self) -> bool:
        """Whether it is trained on the walks of a task's recipe; where there is none, it takes no part."""

    def train(self, config: TrainConfig, trial: Trial, budget: float) -> Training:
        """Train within a budget.

        Args:
            config: The walks, the seed, and how percepts are encoded; the model that it describes is the TEM
                VAE.
            trial: The setting.
            budget: CPU-seconds of training, at most: validation does not count.

        Raises:
            NotApplicableError: The rival is not about such walks.
        """


class NotApplicableError(ValueError):
    """A rival is not about such walks; the message says what it lacks."""


def one_hot(classes: Tensor, n_classes: int) -> Tensor:
    """Rows of zeros with a one, (*, classes), float."""
    return torch.nn.functional.one_hot(classes, n_classes).float()
