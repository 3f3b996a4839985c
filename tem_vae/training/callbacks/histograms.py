"""Histograms of validation walks in wandb: pseudodistances, and the memory weight of the true place."""

from typing import Any

import lightning as L
import torch
import wandb
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import WandbLogger
from torch import Tensor

from tem_vae.data import Walks, classify_steps
from tem_vae.model import Inference, Prediction
from tem_vae.training.wandb_run import UPDATES

_PERCEPTS_COMPARED = 500


class LogHistograms(Callback):
    """Logs histograms of the first batch of every validation to wandb."""

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Walks,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Log, if it is the first batch."""
        if batch_idx > 0 or not trainer.is_global_zero:
            return
        samples = draw_samples(batch, outputs["inference"], outputs["prediction"])
        histograms = {name: wandb.Histogram(v.tolist()) for name, v in samples.items() if len(v)}
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.experiment.log(histograms | {UPDATES: trainer.global_step})


@torch.no_grad()
def draw_samples(batch: Walks, inference: Inference, prediction: Prediction) -> dict[str, Tensor]:
    """The values of the histograms by logged name.

    Returns:
        Pseudodistances between reference codes of percepts of one class and of two, in units of the posterior
        scale, and the memory weight of the true place at revisits; none of what nobody knows.
    """
    return _distances(batch, inference) | _weights_of_true_places(batch, prediction)


def _distances(batch: Walks, inference: Inference) -> dict[str, Tensor]:
    if batch.classes is None:
        return {}
    codes = inference.codes[batch.seen]
    every = max(1, len(codes) // _PERCEPTS_COMPARED)
    embedded = codes[::every] @ inference.embedding.mT
    classes = batch.classes[batch.seen][::every]
    pairs = torch.ones(len(classes), len(classes), dtype=torch.bool, device=classes.device).triu(diagonal=1)
    same = classes.unsqueeze(-1) == classes
    distances = torch.cdist(embedded, embedded) / inference.posterior.scale.flatten()[0]
    return {
        "histogram/distances_within_class": distances[pairs & same],
        "histogram/distances_between_classes": distances[pairs & ~same],
    }


def _weights_of_true_places(batch: Walks, prediction: Prediction) -> dict[str, Tensor]:
    if batch.places is None:
        return {}
    here = batch.places.unsqueeze(-1) == batch.places.unsqueeze(-2)
    weights = (prediction.memory_weights * here).sum(dim=-1)
    revisit = classify_steps(batch.places, batch.seen).revisit
    return {"histogram/weight_of_true_place": weights[revisit]}
