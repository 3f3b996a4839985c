"""The scores of a model on walks, with the baselines on the same steps beside them."""

from collections.abc import Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import SumMetric
from torchmetrics.classification import BinaryAUROC

from tem_vae.data import StepKinds, Walks, classify_steps
from tem_vae.model import ElboTerms, Prediction
from tem_vae.scores.baselines import copy_agent, edge_agent, majority_agent, node_agent
from tem_vae.scores.classifier import NearestPercept
from tem_vae.scores.masked_means import MaskedMeans
from tem_vae.scores.oracle import TightBounds


def remembered_class(memory_weights: Tensor, classes: Tensor, n_classes: int) -> Tensor:
    """The class to which memory gives the most weight, Σ_s w_ts [class_s = k], (batch, time).

    Args:
        memory_weights: w_ts, (batch, time, time).
        classes: The class perceived at each step, (batch, time).
        n_classes: How many there are.
    """
    return (memory_weights @ F.one_hot(classes, n_classes).to(memory_weights.dtype)).argmax(dim=-1)


MODEL = ("memory", "decoded", "reconstruction")
AGENTS = ("node_agent", "edge_agent", "majority", "copy")
UNTRAINED = "untrained"


def score_name(predictor: str, kind: Literal["revisit", "zero_shot"]) -> str:
    """The name of an accuracy. The model's two predictions name both kinds of step, others only zero-shot."""
    if predictor == "memory":
        return f"{kind}_accuracy"
    if kind == "revisit" and predictor != "decoded":
        return f"{predictor}_accuracy"
    return f"{predictor}_{kind}_accuracy"


class PredictionScores(nn.Module):
    """Shares of scored moves whose class was predicted, and how well novelty tells first visits.

    A move into a place seen earlier in the walk is a revisit; over a link walked in neither direction before,
    it is a zero-shot link. Every predictor is scored on both.

    Args:
        n_classes: Classes of percepts.
        classifier: Gives classes to decoded percepts.
        predictors: The names of those that `update_classes` will be called for.
    """

    def __init__(self, n_classes: int, classifier: NearestPercept, predictors: Iterable[str]) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.classifier = classifier
        self.accuracies = MaskedMeans(
            [score_name(p, k) for p in predictors for k in ("revisit", "zero_shot")]
        )
        self.novelty_auroc = BinaryAUROC()
        self.first_visits = SumMetric()
        self.revisits = SumMetric()
        self.zero_shot_moves = SumMetric()

    def update(self, walks: Walks, prediction: Prediction, reconstruction: Tensor) -> None:
        """Score one batch.

        Args:
            walks: What happened.
            prediction: What was expected.
            reconstruction: The posterior's own reconstructions, (batch, time, percept_dim): the ceiling of
                what a decoded prediction can reach.
        """
        kinds = classify_steps(walks.places)
        remembered = remembered_class(prediction.memory_weights, walks.classes, self.n_classes)
        self.update_classes("memory", remembered, walks, kinds)
        self.update_classes("decoded", self._classify(prediction.percepts, kinds), walks, kinds)
        self.update_classes("reconstruction", self._classify(reconstruction, kinds), walks, kinds)
        self.novelty_auroc.update(prediction.novelty[kinds.move], kinds.first_visit[kinds.move].long())
        self.first_visits.update(kinds.first_visit.sum())
        self.revisits.update(kinds.revisit.sum())
        self.zero_shot_moves.update(kinds.zero_shot.sum())

    def update_classes(self, predictor: str, predicted: Tensor, walks: Walks, kinds: StepKinds) -> None:
        """Score the classes that a predictor named, (batch, time)."""
        correct = predicted == walks.classes
        self.accuracies.update(score_name(predictor, "revisit"), correct, kinds.revisit)
        self.accuracies.update(score_name(predictor, "zero_shot"), correct, kinds.zero_shot)

    def update_agents(self, walks: Walks) -> None:
        """Score the agents that have no model."""
        kinds = classify_steps(walks.places)
        self.update_classes("node_agent", node_agent(walks.classes, kinds, self.n_classes), walks, kinds)
        self.update_classes("edge_agent", edge_agent(walks.classes, kinds, self.n_classes), walks, kinds)
        self.update_classes("majority", majority_agent(walks.classes, self.n_classes), walks, kinds)
        self.update_classes("copy", copy_agent(walks.classes), walks, kinds)

    def compute(self) -> dict[str, Tensor]:
        """Every score so far by name; NaN where there was nothing to score."""
        scores: dict[str, Tensor] = self.accuracies.compute().means
        both_kinds = self.first_visits.compute() * self.revisits.compute() > 0
        auroc = self.novelty_auroc.compute() if both_kinds else torch.tensor(torch.nan)
        return scores | {"novelty_auroc": auroc, "zero_shot_moves": self.zero_shot_moves.compute()}

    def standard_errors(self) -> dict[str, Tensor]:
        """Of every accuracy, over walks; NaN where there were fewer than two."""
        errors: dict[str, Tensor] = self.accuracies.compute().standard_errors
        return errors

    def reset(self) -> None:
        """Forget every batch."""
        for metric in (
            self.accuracies,
            self.novelty_auroc,
            self.first_visits,
            self.revisits,
            self.zero_shot_moves,
        ):
            metric.reset()

    def _classify(self, percepts: Tensor, kinds: StepKinds) -> Tensor:
        """Classes of the percepts at scored steps, -1 elsewhere, (batch, time)."""
        classes = torch.full(kinds.revisit.shape, -1, device=percepts.device)
        classes[kinds.revisit] = self.classifier(percepts[kinds.revisit])
        return classes


class BoundScores(MaskedMeans):
    """Means of the bound and its terms, nats per percept."""

    def __init__(self) -> None:
        super().__init__(["elbo", "reconstruction", "kl", "iwae", "predictive_gap"])

    def update_terms(self, terms: ElboTerms) -> None:
        """Take in the one-sample terms of a batch."""
        self.update("elbo", terms.elbo)
        self.update("reconstruction", terms.reconstruction)
        self.update("kl", terms.kl)

    def update_tight(self, bounds: TightBounds) -> None:
        """Take in importance-weighted bounds of a batch."""
        self.update("iwae", bounds.model)
        self.update("predictive_gap", bounds.oracle - bounds.model)
