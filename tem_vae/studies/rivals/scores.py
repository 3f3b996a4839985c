"""One scorer for all models: it reads forecasts, and nothing of who made them."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tem_vae.data import StepKinds, Walks, WalkSource, classify_steps
from tem_vae.data.source import References
from tem_vae.model import Standardizer
from tem_vae.scores.classifier import NearestPercept
from tem_vae.scores.masked_means import MaskedMeans
from tem_vae.scores.positions import PositionScores
from tem_vae.scores.prediction import class_nats
from tem_vae.studies.rivals.contract import Forecast, Forecaster

_OF_CLASSES = ("revisit", "zero_shot", "decoded_revisit", "decoded_zero_shot", "class_nats")
_OF_PERCEPTS = ("decoded_r2", "decoded_r2_at_returns")


class ForecastScores(nn.Module):
    """Scores of forecasts, each NaN where no step counted or the model does not say it.

    ``revisit`` and ``zero_shot``: shares of such moves whose class was named. ``decoded_...``: the same, the
    class given to the expected percept by the nearest training percept. ``class_nats``: −ln of the
    probability given to the class seen, at revisits. ``nats``: −ln p(x_t | past), all steps. Of walks without
    classes, ``decoded_r2`` of the expected percepts, standardised by the training walks.

    Args:
        walks: Training walks, whose references the classifier knows.
    """

    def __init__(self, walks: WalkSource) -> None:
        super().__init__()
        self.classifier = _classifier(walks.references())
        self.means = MaskedMeans([*_OF_CLASSES, "nats"])
        self.positions = PositionScores()
        self.standardizer = _standardizer(walks)

    def update(self, walks: Walks, forecast: Forecast) -> None:
        """Score one batch."""
        if forecast.log_density is not None:
            self.means.update("nats", -forecast.log_density, walks.seen)
        if walks.places is not None and walks.classes is not None:
            kinds = classify_steps(walks.places, walks.seen)
            self._update_classes(walks.classes, forecast, kinds)
        elif forecast.percepts is not None:
            percepts = self.standardizer(_as_numbers(walks.percepts))
            expected = self.standardizer(_as_numbers(forecast.percepts))
            self.positions.update_walks(walks, percepts, {"decoded": expected}, {})

    def _update_classes(self, classes: Tensor, forecast: Forecast, kinds: StepKinds) -> None:
        if (named := forecast.named) is not None:
            self.means.update("revisit", named == classes, kinds.revisit)
            self.means.update("zero_shot", named == classes, kinds.zero_shot)
        if forecast.class_probabilities is not None:
            nats = class_nats(forecast.class_probabilities, classes)
            self.means.update("class_nats", nats, kinds.revisit)
        if forecast.percepts is not None and self.classifier is not None:
            decoded = torch.full_like(classes, -1)
            decoded[kinds.revisit] = self.classifier(forecast.percepts[kinds.revisit])
            self.means.update("decoded_revisit", decoded == classes, kinds.revisit)
            self.means.update("decoded_zero_shot", decoded == classes, kinds.zero_shot)

    def compute(self) -> dict[str, float]:
        """Every score so far by name."""
        means = self.means.estimates().means | {
            name: mean for name, mean in self.positions.estimates().means.items() if name in _OF_PERCEPTS
        }
        return {name: float(mean) for name, mean in means.items()}

    def reset(self) -> None:
        """Forget every batch."""
        self.means.reset()
        self.positions.reset()


@torch.no_grad()
def score(forecaster: Forecaster, batches: Iterable[Walks], walks: WalkSource) -> dict[str, float]:
    """The scores of a model on walks.

    Args:
        forecaster: The model.
        batches: The walks.
        walks: Training walks, of which the classifier of decoded percepts knows some.
    """
    scores = ForecastScores(walks)
    for batch in batches:
        scores.update(batch, forecaster.forecast(batch))
    return scores.compute()


def _classifier(references: References | None) -> NearestPercept | None:
    return references and NearestPercept(
        torch.from_numpy(references.percepts), torch.from_numpy(references.classes)
    )


def _standardizer(walks: WalkSource) -> Standardizer:
    """Knows recorded percepts; changes nothing of drawn ones, which are standardised as they are."""
    standardizer = Standardizer(walks.percept_shape)
    if walks.percepts is None:
        standardizer.fit(_as_numbers(percepts) for percepts in walks.every_percept())
    return standardizer


def _as_numbers(percepts: Tensor) -> Tensor:
    """Bytes as numbers in [0, 1]."""
    return percepts.float() / 255 if percepts.dtype == torch.uint8 else percepts
