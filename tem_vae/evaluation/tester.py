"""A trained model scored on held-out walks, as Lightning tests it."""

import math
from collections.abc import Iterable

import lightning as L
import torch
from torch import Tensor

from tem_vae.config.build import build_model
from tem_vae.data import HeldOutWalks, PerceptSource, Walks, WalkSource
from tem_vae.evaluation.trained import TrainedRun
from tem_vae.model import IdentityEncoder, TemVae
from tem_vae.runs.folder import Metrics
from tem_vae.scores.belief import BeliefScores
from tem_vae.scores.classifier import NearestPercept
from tem_vae.scores.oracle import importance_weighted_bounds
from tem_vae.scores.positions import PositionScores
from tem_vae.scores.prediction import (
    AGENTS,
    MODEL,
    UNTRAINED,
    BoundScores,
    PredictionScores,
)
from tem_vae.scores.spectrum import effective_rank, subspace_share, unscaled_whitening
from tem_vae.seeding import seeded

IWAE_SAMPLES = 50
IWAE_STEPS = 200


def score(run: TrainedRun, walks: HeldOutWalks, trainer: L.Trainer) -> Metrics:
    """The scores of a trained model on held-out walks; None where there was nothing to score.

    Returns:
        Scores named ``test/``, and their standard errors over walks named ``test_standard_error/``.
    """
    source = walks.source
    with seeded(run.config.seed):
        untrained = build_model(run.config.model, run.config.data.walk_shape)
    untrained.standardizer = run.model.standardizer
    scores = build_scores(source, (*MODEL, *AGENTS, *UNTRAINED))
    tester = Tester(run.model, untrained.eval(), scores, run.percepts, walks.seed)
    trainer.test(tester, walks.loader(trainer.global_rank, trainer.world_size), verbose=False)
    return {name: None if math.isnan(value) else value for name, value in tester.results.items()}


def build_scores(source: WalkSource, predictors: Iterable[str]) -> PredictionScores:
    """Scores of the predictors named, whose classifier knows the source's references."""
    references = source.references()
    classifier = references and NearestPercept(
        torch.from_numpy(references.percepts), torch.from_numpy(references.classes)
    )
    return PredictionScores(source.n_classes, classifier, predictors)


class Tester(L.LightningModule):
    """Scores a model, and beside it baselines and the same model untrained, on the same walks.

    Args:
        model: The trained model.
        untrained: The same architecture with fresh weights: what a random torus is good for.
        scores: Scores the predictions.
        percepts: Where the percepts come from; None where they were recorded.
        seed: Decides the posterior samples.
    """

    def __init__(
        self,
        model: TemVae,
        untrained: TemVae,
        scores: PredictionScores,
        percepts: PerceptSource | None,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.untrained = untrained
        self.prediction_scores = scores
        self.bound_scores = BoundScores()
        self.position_scores = PositionScores()
        self.belief_scores = BeliefScores()
        self.percepts = percepts
        self.seed = seed
        self.results: dict[str, float] = {}

    def test_step(self, batch: Walks, batch_idx: int) -> None:
        """Score one batch of walks."""
        torch.manual_seed(self.seed * 2**31 + batch_idx)
        inference = self.model.infer(batch.percepts, batch.actions)
        self.bound_scores.update_terms(self.model.bound(batch.percepts, inference), batch.seen)
        beginning = batch.beginning(IWAE_STEPS)
        bounds = importance_weighted_bounds(
            self.model, beginning, self.model.beginning(inference, IWAE_STEPS), IWAE_SAMPLES
        )
        self.bound_scores.update_importance_weighted(bounds, beginning.seen)
        reconstruction = self.model.decode_posterior(inference)
        prediction = self.model.expect(inference)
        self.prediction_scores.update(batch, prediction, reconstruction)
        self.prediction_scores.update_agents(batch)
        untrained = self.untrained.infer(batch.percepts, batch.actions).prior
        self.prediction_scores.update_untrained(batch, untrained)
        if inference.belief is not None:
            self.belief_scores.update(batch, inference.belief)
        predicted = {"decoded": prediction.percepts, "reconstruction": reconstruction}
        self.position_scores.update_walks(
            batch,
            self.model.standardise(batch.percepts),
            {name: self.model.standardise(percepts) for name, percepts in predicted.items()},
            {"retrieval": prediction.prior, "untrained": untrained},
        )

    def on_test_epoch_end(self) -> None:
        """Gather everything in `results`, by the names that metrics.json has."""
        bounds = self.bound_scores.compute()
        positions = self.position_scores.estimates()
        scores = self.prediction_scores.compute() | bounds.means | positions.means | self._describe_metric()
        errors = self.prediction_scores.standard_errors() | bounds.standard_errors | positions.standard_errors
        if self.model.belief is not None:
            scores |= self.belief_scores.compute()
            errors |= self.belief_scores.standard_errors()
        self.results = {f"test/{name}": float(score) for name, score in scores.items()} | {
            f"test_standard_error/{name}": float(error) for name, error in errors.items()
        }

    def _describe_metric(self) -> dict[str, Tensor]:
        factorization = self.model.metric.factorize()
        E, whitening = factorization.embedding, unscaled_whitening(factorization)
        scalars = {
            "effective_rank": effective_rank(E),
            "effective_rank_whitening": effective_rank(whitening),
        }
        relevant = self.percepts and self.percepts.relevant_basis
        if relevant is not None:
            basis = torch.from_numpy(relevant).to(E.device)
            # The subspace is one of percepts; of the codes of another encoder it says nothing.
            known = isinstance(self.model.encoder, IdentityEncoder)
            for name, matrix in (("E", E), ("whitening", whitening)):
                share = subspace_share(matrix, basis) if known else E.new_tensor(torch.nan)
                scalars[f"relevant_share_{name}"] = share
        return scalars
