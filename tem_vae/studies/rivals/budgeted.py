"""Training by Lightning that ends when a budget of CPU-seconds is spent, and keeps its best validation."""

import copy
import time
from typing import Any, cast

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import Tensor

from tem_vae.config.training import OptimizerConfig, TrainConfig
from tem_vae.data import Walks, WalkSource
from tem_vae.model import TemVae
from tem_vae.runs.terminal import quiet_lightning
from tem_vae.scores.prediction import PredictionScores
from tem_vae.studies.rivals.contract import Forecaster, Point, Training
from tem_vae.studies.rivals.predictor import PerceptPredictor
from tem_vae.studies.rivals.scores import ForecastScores
from tem_vae.training.datamodule import build_data
from tem_vae.training.module import TemVaeModule
from tem_vae.training.run import build_trainer

_LEAST_POINTS, _MOST_POINTS = 3, 12  # validations of a run
_SECONDS_A_POINT = 5.0  # of training: a validation may cost seconds, too, which the budget does not count
_SELDOM = 10**9
_CAUTION = 0.85  # of the budget: with a schedule cut off, rates would never become small
_CHOSEN_BY = "elbo/validation_elbo"
_IN_CURVES = ("revisit", "zero_shot", "decoded_r2_at_returns")


class RivalModule(TemVaeModule):
    """Trains by the steps of the TEM VAE, seeds, clipping and schedule included; validates forecasts.

    Args:
        model: What is trained.
        forecaster: Foresees by it.
        optimizer: How.
        scores: Of the forecasts of validation.
        seed: Decides the noise of updates.
    """

    def __init__(
        self,
        model: TemVae | PerceptPredictor,
        forecaster: Forecaster,
        optimizer: OptimizerConfig,
        scores: ForecastScores,
        seed: int,
    ) -> None:
        # A rival has all that training asks of a model; validation asks the forecaster, below.
        unused = PredictionScores(None, None, ())
        super().__init__(cast(TemVae, model), optimizer, unused, seed, log_every=_SELDOM)
        self.forecaster = forecaster
        self.forecast_scores = scores

    def validation_step(self, batch: Walks, batch_idx: int) -> None:  # type: ignore[override]
        """Score the forecasts of one batch."""
        self.forecast_scores.update(batch, self.forecaster.forecast(batch))

    def on_validation_epoch_end(self) -> None:
        """Log the scores of all batches."""
        scores = self.forecast_scores.compute()
        self.log(_CHOSEN_BY, -scores["nats"])
        for name in _IN_CURVES:
            self.log(name, scores[name])
        self.forecast_scores.reset()


class Budget(Callback):
    """Counts the CPU-seconds of updates, stops training when they are spent, and keeps the best validation.

    Args:
        seconds: The budget.

    Attributes:
        spent: CPU-seconds of updates so far.
        curve: The validations so far.
        best: The weights of the best of them; None before the first.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent = 0.0
        self.curve: list[Point] = []
        self.best: dict[str, Tensor] | None = None
        self._began = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin to count."""
        self._began = time.process_time()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop if the budget is spent."""
        now = time.process_time()
        self.spent, self._began = self.spent + now - self._began, now
        if self.spent >= self.seconds:
            trainer.should_stop = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note the validation, keep its weights if it is the best, and go on counting."""
        scores = {name: float(score) for name, score in trainer.callback_metrics.items()}
        nats = -scores[_CHOSEN_BY]
        if self.best is None or nats < min(point.nats for point in self.curve if point.nats is not None):
            assert isinstance(pl_module, TemVaeModule)
            self.best = copy.deepcopy(pl_module.model.state_dict())
        known = {name: None if scores[name] != scores[name] else scores[name] for name in _IN_CURVES}
        self.curve.append(Point(self.spent, trainer.global_step, nats, **known))
        self._began = time.process_time()


def train_within(
    module: TemVaeModule, config: TrainConfig, budget: float, forecaster: Forecaster
) -> Training:
    """Train a module on the walks of a configuration.

    As many updates are planned as the budget is expected to allow, at most ``trainer.max_steps``, so that the
    schedule of rates ends with it; and the budget ends training in any case.

    Args:
        module: With a model of fresh weights.
        config: The walks, and the trainer.
        budget: CPU-seconds of updates.
        forecaster: Foresees by the model of the module.
    """
    quiet_lightning()
    source = config.data.build().train
    cost = seconds_of_an_update(module.model, source, config.data.lengthen_after)
    updates = max(1, min(config.trainer.max_steps, int(_CAUTION * budget / cost)))
    points = min(max(_LEAST_POINTS, int(budget / _SECONDS_A_POINT)), _MOST_POINTS)
    interval = max(1, updates // points)
    trainer_config = config.trainer.model_copy(update={"max_steps": updates, "val_check_interval": interval})
    data = build_data(config.data, config.seed, updates)
    clock = Budget(budget)
    planned = config.model_copy(update={"trainer": trainer_config})
    trainer = build_trainer(planned, [clock, ModelCheckpoint(save_top_k=0)], [])  # else it writes files
    trainer.fit(module, data)
    if clock.best is not None:
        module.model.load_state_dict(clock.best)
    module.model.eval()
    learned = sum(parameter.numel() for parameter in module.model.parameters())
    return Training(forecaster, clock.curve, clock.spent, data.walk_steps(trainer.global_step), learned)


def seconds_of_an_update(model: TemVae, walks: WalkSource, lengthen_after: float) -> float:
    """CPU-seconds, on average over a run, measured on walks of both lengths; weights stay as they are."""
    seconds = []
    for source in (walks, walks.lengthened()):
        for _ in range(3):  # the first warms up
            start = time.process_time()
            batch = source.sample(np.random.default_rng(0))
            torch.autograd.backward(-model.elbo(batch.percepts, batch.actions).elbo.mean())
            model.zero_grad()
            taken = time.process_time() - start
        seconds.append(taken)
    return lengthen_after * seconds[0] + (1 - lengthen_after) * seconds[1]
