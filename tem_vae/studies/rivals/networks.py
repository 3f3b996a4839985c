"""Rivals that are networks, trained by gradients on the walks that the TEM VAE is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tem_vae.config.training import TrainConfig
from tem_vae.studies.rivals.budgeted import RivalModule, train_within
from tem_vae.studies.rivals.contract import Training, Trial
from tem_vae.studies.rivals.predictor import NetworkFactory, PerceptPredictor
from tem_vae.studies.rivals.scores import ForecastScores

_TRIALS = tuple(Trial(rate, size) for rate in (1e-3, 4e-3) for size in (64, 128))
_AS_MANY_AS_THE_BUDGET_ALLOWS = 10**9


@dataclass(frozen=True)
class NetworkRival:
    """A network as a rival.

    Attributes:
        title: Its name in tables.
        network: Makes one of a width.
        source: What it was written after.
        size: What the size of a trial counts.
        trials: The settings that its search tries.
        own_walks: Whether it is trained on the walks of the TEM VAE's recipe, and not on those of the others.
    """

    title: str
    network: NetworkFactory
    source: str
    size: str = "width"
    trials: Sequence[Trial] = _TRIALS
    own_walks: bool = False

    def train(self, config: TrainConfig, trial: Trial, budget: float) -> Training:
        """Train by AdamW with the schedule of the TEM VAE, at a rate of its own."""
        torch.manual_seed(config.seed)
        walks = config.data.build().train
        rival = PerceptPredictor(config, walks, self.network, trial.size, config.seed)
        rates = {"learning_rate": trial.learning_rate, "path_integration_factor": 1.0}
        optimizer = config.optimizer.model_copy(update=rates)
        module = RivalModule(rival, rival, optimizer, ForecastScores(walks), config.seed)
        trainer = config.trainer.model_copy(update={"max_steps": _AS_MANY_AS_THE_BUDGET_ALLOWS})
        return train_within(module, config.model_copy(update={"trainer": trainer}), budget, rival)
