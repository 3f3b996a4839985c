"""The scores of a model on walks, with the baselines on the same steps beside them."""

from collections.abc import Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics import SumMetric
from torchmetrics.classification import BinaryAUROC, BinaryCalibrationError

from tem_vae.data import StepKinds, Walks, classify_steps
from tem_vae.model import ElboTerms, Prediction, Prior
from tem_vae.scores.baselines import copy_agent, edge_agent, majority_agent, node_agent
from tem_vae.scores.classifier import NearestPercept
from tem_vae.scores.masked_means import MaskedMeans
from tem_vae.scores.oracle import ImportanceWeightedBounds


def remembered_class(prior: Prior, classes: Tensor, n_classes: int) -> Tensor:
    """The class to which memory gives the most weight, Σ_s w_ts [class_s = k], (batch, time).

    Args:
        prior: Whose memory weights w_ts count.
        classes: The class perceived at each step, (batch, time).
        n_classes: How many there are.
    """
    return prior.weigh(F.one_hot(classes, n_classes)).argmax(dim=-1)


def class_probabilities(prior: Prior, classes: Tensor, n_classes: int) -> Tensor:
    """How likely each class is, as `remembered_class` takes it, (batch, time, classes).

    A class is as likely as the memories of it weigh; what they do not weigh is spread evenly over classes.
    """
    remembered = prior.weigh(F.one_hot(classes, n_classes))
    unknown = (1 - remembered.sum(dim=-1, keepdim=True)).clamp_min(0)
    return remembered + unknown / n_classes


def class_nats(probabilities: Tensor, classes: Tensor) -> Tensor:
    """−ln of the probability given to the class that is there, nats, (batch, time).

    Args:
        probabilities: Of every class, (batch, time, classes); those below 1e-12 count as that.
        classes: What was there, (batch, time).
    """
    given = probabilities.gather(-1, classes.unsqueeze(-1)).squeeze(-1)
    return -given.clamp_min(_LEAST_PROBABILITY).log()


def retrieved_place(prior: Prior, places: Tensor) -> Tensor:
    """The place at which the remembered step of greatest weight was made, (batch, time); no classes needed.

    Args:
        prior: Whose memory weights count.
        places: The place occupied at each step, (batch, time).
    """
    return places.gather(1, prior.heaviest)


_LEAST_PROBABILITY = 1e-12
# Of the probability that a place is new, from 0 to 1.
CALIBRATION_BINS = 15

MODEL = ("memory", "retrieval", "decoded", "reconstruction")
AGENTS = ("node_agent", "edge_agent", "majority", "copy")
UNTRAINED = ("untrained", "untrained_retrieval")


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

    What nobody knows about the walks cannot be scored: without places there is nothing, without classes only
    retrieval and novelty, and without percepts of known class to compare with nothing that is decoded.

    Args:
        n_classes: Classes of percepts; None if they are not known.
        classifier: Gives classes to decoded percepts; None if no training percept of known class is at hand.
        predictors: The names of those that will be scored.
    """

    def __init__(
        self, n_classes: int | None, classifier: NearestPercept | None, predictors: Iterable[str]
    ) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.classifier = classifier
        self.accuracies = MaskedMeans(
            [score_name(p, k) for p in predictors for k in ("revisit", "zero_shot")]
        )
        self.novelty_auroc = BinaryAUROC()
        self.novelty_calibration = BinaryCalibrationError(n_bins=CALIBRATION_BINS)
        self.first_visits = SumMetric()
        self.revisits = SumMetric()
        self.zero_shot_moves = SumMetric()

    def update(self, walks: Walks, prediction: Prediction, reconstruction: Tensor) -> None:
        """Score one batch.

        Args:
            walks: What happened.
            prediction: What was expected.
            reconstruction: The posterior's own reconstructions, (batch, time, *percept_shape): the ceiling of
                what a decoded prediction can reach.
        """
        if walks.places is None:
            return
        kinds = classify_steps(walks.places, walks.seen)
        retrieved = retrieved_place(prediction.prior, walks.places)
        self._update_accuracies("retrieval", retrieved == walks.places, kinds)
        self._update_class_predictions(walks, prediction, reconstruction, kinds)
        novelty, is_new = prediction.novelty[kinds.move], kinds.first_visit[kinds.move].long()
        self.novelty_auroc.update(novelty, is_new)
        self.novelty_calibration.update(novelty, is_new)
        self.first_visits.update(kinds.first_visit.sum())
        self.revisits.update(kinds.revisit.sum())
        self.zero_shot_moves.update(kinds.zero_shot.sum())

    def update_untrained(self, walks: Walks, prior: Prior) -> None:
        """Score where the memory of an untrained model would look, and what it would name."""
        if walks.places is None:
            return
        kinds = classify_steps(walks.places, walks.seen)
        retrieved = retrieved_place(prior, walks.places)
        self._update_accuracies("untrained_retrieval", retrieved == walks.places, kinds)
        if walks.classes is not None and self.n_classes is not None:
            named = remembered_class(prior, walks.classes, self.n_classes)
            self._update_accuracies("untrained", named == walks.classes, kinds)

    def update_agents(self, walks: Walks) -> None:
        """Score the agents that have no model."""
        places, classes, n_classes = walks.places, walks.classes, self.n_classes
        if places is None or classes is None or n_classes is None:
            return
        kinds = classify_steps(places, walks.seen)
        named = {
            "node_agent": node_agent(classes, kinds, n_classes),
            "edge_agent": edge_agent(classes, kinds, n_classes),
            "majority": majority_agent(classes, n_classes),
            "copy": copy_agent(classes),
        }
        for agent, predicted in named.items():
            self._update_accuracies(agent, predicted == classes, kinds)

    def _update_class_predictions(
        self, walks: Walks, prediction: Prediction, reconstruction: Tensor, kinds: StepKinds
    ) -> None:
        classes, n_classes, classifier = walks.classes, self.n_classes, self.classifier
        if classes is None or n_classes is None:
            return
        named = {"memory": remembered_class(prediction.prior, classes, n_classes)}
        if classifier is not None:
            named |= {
                "decoded": _classify(classifier, prediction.percepts, kinds),
                "reconstruction": _classify(classifier, reconstruction, kinds),
            }
        for predictor, predicted in named.items():
            self._update_accuracies(predictor, predicted == classes, kinds)

    def _update_accuracies(self, predictor: str, correct: Tensor, kinds: StepKinds) -> None:
        self.accuracies.update(score_name(predictor, "revisit"), correct, kinds.revisit)
        self.accuracies.update(score_name(predictor, "zero_shot"), correct, kinds.zero_shot)

    def compute(self) -> dict[str, Tensor]:
        """Every score so far by name; NaN where there was nothing to score."""
        scores = self.accuracies.estimates().means
        unknown = torch.tensor(torch.nan)
        if not self.revisits.update_called:
            names = ("novelty_auroc", "novelty_calibration_error", "zero_shot_moves")
            return scores | dict.fromkeys(names, unknown)
        both_kinds = self.first_visits.compute() * self.revisits.compute() > 0
        auroc = self.novelty_auroc.compute() if both_kinds else unknown
        moves = self.first_visits.compute() + self.revisits.compute()
        return scores | {
            "novelty_auroc": auroc,
            "novelty_calibration_error": self.novelty_calibration.compute() if moves > 0 else unknown,
            "zero_shot_moves": self.zero_shot_moves.compute(),
        }

    def standard_errors(self) -> dict[str, Tensor]:
        """Of every accuracy, over walks; NaN where there were fewer than two."""
        return self.accuracies.estimates().standard_errors

    def reset(self) -> None:
        """Forget every batch."""
        for metric in (
            self.accuracies,
            self.novelty_auroc,
            self.novelty_calibration,
            self.first_visits,
            self.revisits,
            self.zero_shot_moves,
        ):
            metric.reset()


def _classify(classifier: NearestPercept, percepts: Tensor, kinds: StepKinds) -> Tensor:
    """Classes of the percepts at scored steps, -1 elsewhere, (batch, time)."""
    classes = torch.full(kinds.revisit.shape, -1, device=percepts.device)
    classes[kinds.revisit] = classifier(percepts[kinds.revisit])
    return classes


class BoundScores(MaskedMeans):
    """Means of the bound and its terms, nats per percept."""

    def __init__(self) -> None:
        super().__init__(["elbo", "reconstruction", "kl", "iwae", "predictive_gap"])

    def update_terms(self, terms: ElboTerms, mask: Tensor) -> None:
        """Take in the one-sample terms of a batch, and which of its steps are no padding, (batch, time)."""
        self.update("elbo", terms.elbo, mask)
        self.update("reconstruction", terms.reconstruction, mask)
        self.update("kl", terms.kl, mask)

    def update_importance_weighted(self, bounds: ImportanceWeightedBounds, mask: Tensor) -> None:
        """Take in importance-weighted bounds of a batch, and which steps are no padding, (batch, time)."""
        self.update("iwae", bounds.model, mask)
        if bounds.oracle is not None:
            self.update("predictive_gap", bounds.oracle - bounds.model, mask)
