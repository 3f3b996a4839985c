"""What is watched at every validation beside the scores: visits, gap and drift."""

from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from tem_vae.data import Walks, WalkSource
from tem_vae.model import Inference, Prediction, TemVae
from tem_vae.scores.drift import out_and_back, phase_drift
from tem_vae.scores.oracle import importance_weighted_bounds
from tem_vae.scores.visits import VisitScores
from tem_vae.seeding import seeded
from tem_vae.training.module import TemVaeModule
from tem_vae.worlds import STAY

_GAP_SAMPLES = 10
_GAP_STEPS = 200
_STEPS_OUT = (1, 10, 100)


class WatchValidation(Callback):
    """Logs what validation walks tell about memory, path integration and the pseudometric.

    Args:
        walks: The training walks, whose actions path integration integrates.
        seed: Decides the posterior samples of the predictive gap.
    """

    def __init__(self, walks: WalkSource, seed: int) -> None:
        self.visit_scores = VisitScores(walks.n_classes)
        self.opposites = walks.opposites
        self.stays = STAY in walks.actions[:1]
        self.seed = seed

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget earlier validations."""
        self.visit_scores.to(pl_module.device).reset()

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Walks,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Take in a batch; the first one is looked at more closely."""
        assert isinstance(pl_module, TemVaeModule)
        prediction: Prediction = outputs["prediction"]
        self.visit_scores.update_walks(batch, prediction)
        if batch_idx == 0:
            inference: Inference = outputs["inference"]
            gap, drift = (
                self._predictive_gap(pl_module.model, batch, inference),
                self._drift(pl_module.model, batch),
            )
            pl_module.log_dict(gap | drift, batch_size=len(batch.mask))

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log accuracies by visit number; those that no walk reached are left out."""
        scores = self.visit_scores.estimates().means
        pl_module.log_dict({f"prediction/{name}": score for name, score in scores.items() if score == score})

    def _predictive_gap(self, model: TemVae, batch: Walks, inference: Inference) -> dict[str, Tensor]:
        walks = batch.beginning(_GAP_STEPS)
        with seeded(self.seed):
            bounds = importance_weighted_bounds(
                model, walks, model.beginning(inference, _GAP_STEPS), _GAP_SAMPLES
            )
        if bounds.oracle is None:
            return {}
        return {"prediction/predictive_gap": (bounds.oracle - bounds.model)[walks.seen].mean()}

    def _drift(self, model: TemVae, batch: Walks) -> dict[str, Tensor]:
        if not (self.stays and self.opposites):
            return {}
        walks = {steps: out_and_back(batch.actions[:, :steps], self.opposites) for steps in _STEPS_OUT}
        drifts = {f"drift_out_{steps}": phase_drift(model.integrator, w) for steps, w in walks.items()}
        drifts["stay_rotation"] = phase_drift(model.integrator, torch.zeros_like(batch.actions[:1, :1]))
        return {f"path_integration/{name}": drift for name, drift in drifts.items()}
