"""The TEM VAE as Lightning trains it."""

import math
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor

from tem_vae.config.training import OptimizerConfig
from tem_vae.data import Walks
from tem_vae.model import Belief, Inference, Prediction, TemVae
from tem_vae.scores.prediction import BoundScores, PredictionScores
from tem_vae.scores.spectrum import describe_spectrum
from tem_vae.training.believed import Believed
from tem_vae.training.numerics import check_finite
from tem_vae.training.optimizer import build_optimizer, forgetting

_BELIEVED = "believed"  # in checkpoints
_BOUND = ("elbo", "reconstruction", "kl")


class TemVaeModule(L.LightningModule):
    """Maximises the bound on training walks and scores predictions on validation walks.

    Args:
        model: What is trained.
        optimizer: How.
        scores: Scores the predictions of validation.
        seed: Together with the number of the update, decides the noise of each update.
        log_every: Updates from one logged value to the next.
    """

    def __init__(
        self,
        model: TemVae,
        optimizer: OptimizerConfig,
        scores: PredictionScores,
        seed: int,
        log_every: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.optimizer_config = optimizer
        self.seed = seed
        self.log_every = log_every
        self.prediction_scores = scores
        self.bound_scores = BoundScores()
        self._believed: Believed | None = None

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """AdamW, with a rate of its own for path integration."""
        optimizer, schedule = build_optimizer(self.model, self.optimizer_config, self.trainer.max_steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step", "name": "optimizer/learning_rate"},
        }

    def on_train_batch_start(self, batch: Walks, batch_idx: int) -> None:
        """Seed the noise of this update by its number, so that a continued run draws what it would have."""
        draws = self.global_step * self.trainer.world_size + self.trainer.global_rank
        torch.manual_seed(self.seed * 2**31 + draws)
        self.model.memory.forgetting = forgetting(
            self.global_step, self.trainer.max_steps, self.optimizer_config
        )

    def training_step(self, batch: Walks, batch_idx: int) -> Tensor:
        """The negative bound, nats per percept."""
        log_slips = torch.zeros(())
        if self.model.belief is not None and self.global_step >= self._first_belief:
            batch, log_slips = self._follow(self.model.belief, batch)
        inference = self.model.infer(batch.percepts, batch.actions)
        terms = self.model.bound(batch.percepts, inference)
        check_finite("terms of the bound", self.global_step, vars(terms))
        counted = batch.seen
        elbo = mean_over_steps(terms.elbo, counted)
        self.log("elbo/elbo", elbo, prog_bar=True)
        if (self.global_step + 1) % self.log_every == 0:
            self.log("elbo/reconstruction", mean_over_steps(terms.reconstruction, counted))
            self.log("elbo/kl", mean_over_steps(terms.kl, counted))
            self.log_dict(self.model.memory.scalars())
        return -elbo - log_slips

    @property
    def _first_belief(self) -> int:
        """The update from which on what is believed counts, and not what was recorded."""
        return math.ceil(self.optimizer_config.belief_from * self.trainer.max_steps)

    def _follow(self, belief: Belief, batch: Walks) -> tuple[Walks, Tensor]:
        """Walks as they may have gone, and the log probability of their slips, nats a step.

        A belief costs as much as many updates, so it serves several: they take its walks instead of their
        own, and each draws paths anew.
        """
        if self._believed is None or self._is_belief_due:
            self._believed = Believed.of(self.model, belief, batch)
        self.log_dict(belief.scalars())
        walks = self._believed.draw()
        log_slips = belief.slips.log_prob(walks.actions, self._believed.recorded)
        return walks, mean_over_steps(log_slips, walks.mask[:, 1:])

    @property
    def _is_belief_due(self) -> bool:
        return (self.global_step - self._first_belief) % self.optimizer_config.belief_every == 0

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep a belief that later updates need."""
        if self._believed is not None and not self._is_belief_due:
            checkpoint[_BELIEVED] = self._believed._asdict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the belief that was kept."""
        if (state := checkpoint.get(_BELIEVED)) is not None:
            self._believed = Believed.restored(state)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the norm of the gradient, and log what it was before."""
        gradients = {name: p.grad for name, p in self.named_parameters() if p.grad is not None}
        norm = torch.nn.utils.get_total_norm(gradients.values())
        if not norm.isfinite():
            check_finite("gradients", self.global_step, gradients)
            check_finite("gradients", self.global_step, {"their norm": norm})
        torch.nn.utils.clip_grads_with_norm_(self.parameters(), gradient_clip_val or torch.inf, norm)
        self.log("optimizer/gradient_norm", norm)

    def validation_step(self, batch: Walks, batch_idx: int) -> dict[str, Inference | Prediction]:
        """Score one batch of validation walks; what was inferred is returned for callbacks to look at."""
        inference = self.model.infer(batch.percepts, batch.actions, evenly=False)
        self.bound_scores.update_terms(self.model.bound(batch.percepts, inference), batch.seen)
        prediction = self.model.expect(inference)
        self.prediction_scores.update(batch, prediction, self.model.decode_posterior(inference))
        return {"inference": inference, "prediction": prediction}

    def on_validation_epoch_end(self) -> None:
        """Log the scores, and the spectra of E and of the whitening S⁻¹E."""
        bounds = self.bound_scores.compute().means
        check_finite("validation", self.global_step, {name: bounds[name] for name in _BOUND})
        self.log_dict({f"elbo/validation_{name}": bounds[name] for name in _BOUND})
        scores = self.prediction_scores.compute()
        self.log_dict({f"prediction/{name}": float(score) for name, score in scores.items()})
        self.log_dict(describe_spectrum(self.model.metric))
        self.bound_scores.reset()
        self.prediction_scores.reset()


def mean_over_steps(values: Tensor, mask: Tensor) -> Tensor:
    """The mean over the steps that count; values and mask of shape (batch, time). 0 where none does."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp_min(1)
