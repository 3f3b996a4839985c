"""The TEM VAE as one of those who take part: its own module and recipe, the same budget, the same scorer."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tem_vae.config.belief import BeliefConfig
from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks
from tem_vae.model import Inference, TemVae
from tem_vae.scores.prediction import class_probabilities
from tem_vae.studies.rivals.budgeted import RivalModule, train_within
from tem_vae.studies.rivals.contract import Forecast, Training, Trial
from tem_vae.studies.rivals.scores import ForecastScores
from tem_vae.training.run import prepare_percepts

# As of the other networks two rates, a factor of four apart, and two sizes; the first is what recipes have.
_TRIALS = tuple(Trial(rate, channels) for rate in (0.016, 0.004) for channels in (64, 128))


@dataclass(frozen=True)
class TemVaeForecaster:
    """What the TEM VAE expects.

    Attributes:
        model: Trained or in training.
        n_classes: How many there are; None if that is not known.
        doubts: What it is told of recorded actions that are wrong.
    """

    model: TemVae
    n_classes: int | None
    doubts: BeliefConfig

    @torch.no_grad()
    def forecast(self, walks: Walks) -> Forecast:
        """A class is as likely as the memories of it weigh; what they do not weigh is of any class.

        The density is the bound, from one posterior sample.
        """
        inference = self._infer(walks)
        prediction = self.model.expect(inference)
        bound = self.model.bound(walks.percepts, inference).elbo
        if walks.classes is None or self.n_classes is None:
            return Forecast(percepts=prediction.percepts, log_density=bound)
        probabilities = class_probabilities(prediction.prior, walks.classes, self.n_classes)
        return Forecast(class_probabilities=probabilities, percepts=prediction.percepts, log_density=bound)

    def _infer(self, walks: Walks) -> Inference:
        """With as many hypotheses throughout, if there are doubts."""
        told, doubts = self.model.infer(walks.percepts, walks.actions), self.doubts
        if doubts.hypotheses == 1:
            return told
        belief = self.model.doubt(doubts.hypotheses, doubts.slip_rate, persistence=doubts.persistence)
        trace = self.model.believe(belief, walks.percepts, walks.actions, told, evenly=False)
        return Inference(told.posterior, trace.prior, told.seen, trace)


@dataclass(frozen=True)
class TemVaeRival:
    """The TEM VAE with the recipe that its configuration describes, but for what its search decides.

    Attributes:
        title: Its name in tables.
        own_walks: Whether it is trained on the walks of its recipe, and not on those of the others.
        size: What the size of a trial counts: circles that actions turn.
        trials: The settings that its search tries; the first is the recipe of all tasks.
    """

    title: str
    own_walks: bool = False
    source: str = "this repository"
    size: str = "channels"
    trials: Sequence[Trial] = _TRIALS

    def train(self, config: TrainConfig, trial: Trial, budget: float) -> Training:
        """Train by its recipe with the rate and the channels of a trial, at most as long as the budget."""
        torch.manual_seed(config.seed)
        doubts, config = config.model.belief, _with_trial(config, trial)
        model = build_model(config.model, config.data.walk_shape)
        walks = config.data.build().train
        prepare_percepts(model, walks)
        forecaster = TemVaeForecaster(model, walks.n_classes, doubts)
        module = RivalModule(model, forecaster, config.optimizer, ForecastScores(walks), config.seed)
        return train_within(module, config, budget, forecaster)


def _with_trial(config: TrainConfig, trial: Trial) -> TrainConfig:
    """With the settings of a trial, and without a belief: doubts are for forecasts, training does without."""
    optimizer = config.optimizer.model_copy(update={"learning_rate": trial.learning_rate})
    turns = config.model.path_integration.model_copy(update={"channels": trial.size})
    belief = config.model.belief.model_copy(update={"hypotheses": 1})
    model = config.model.model_copy(update={"path_integration": turns, "belief": belief})
    return config.model_copy(update={"optimizer": optimizer, "model": model})
