"""What every rival must keep to: no forecast reads what comes later, and probabilities sum to one."""

import math

import pytest
import torch
from small_rivals import NETWORKS, STEPS, BuildRival
from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, WalkSource
from tem_vae.scores.prediction import PredictionScores
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.contract import Forecast, Trial, one_hot
from tem_vae.studies.rivals.heads import MixtureHead
from tem_vae.studies.rivals.ours import TemVaeForecaster
from tem_vae.studies.rivals.predictor import PerceptPredictor
from tem_vae.studies.rivals.scores import ForecastScores, score

CAUSAL = [*NETWORKS, "clones"]


def changed(walks: Walks, step: int, field: str) -> Walks:
    """The same walks, but for what is perceived from a step on, or done after it."""
    assert walks.truth is not None
    assert walks.classes is not None
    generator = torch.Generator().manual_seed(1)
    if field == "actions":
        actions = walks.actions.clone()
        actions[:, step:] = (actions[:, step:] + 1) % 5
        return walks._replace(actions=actions)
    percepts = walks.percepts.clone()
    percepts[:, step:] = torch.randn(percepts[:, step:].shape, generator=generator)
    classes = walks.classes.clone()
    classes[:, step:] = (classes[:, step:] + 3) % 10
    return walks._replace(percepts=percepts, truth=walks.truth._replace(classes=classes))


@pytest.mark.parametrize("field", ["percepts", "actions"])
@pytest.mark.parametrize("name", CAUSAL)
@pytest.mark.parametrize("step", [1, 25, STEPS - 1])
def test_what_comes_later_changes_no_forecast(
    name: str, step: int, field: str, walks: Walks, fresh: BuildRival
) -> None:
    """The forecast of step t has read percepts before t, and the actions that led there."""
    rival = fresh(name)
    known, other = rival.forecast(walks), rival.forecast(changed(walks, step, field))
    # Action number t leads to percept t + 1.
    first_to_differ = step + 1
    for before, after in zip(parts(known), parts(other), strict=True):
        torch.testing.assert_close(before[:, :first_to_differ], after[:, :first_to_differ])
    if step < STEPS - 1:
        assert any(
            not torch.allclose(before[:, first_to_differ:], after[:, first_to_differ:])
            for before, after in zip(parts(known), parts(other), strict=True)
        )


def parts(forecast: Forecast) -> list[Tensor]:
    """What a forecast says of a step without having seen it."""
    said = (forecast.class_probabilities, forecast.percepts)
    return [part for part in said if part is not None]


@pytest.mark.parametrize("name", CAUSAL)
def test_probabilities_of_classes_sum_to_one(name: str, walks: Walks, fresh: BuildRival) -> None:
    probabilities = fresh(name).forecast(walks).class_probabilities
    assert probabilities is not None
    assert (probabilities >= 0).all()
    torch.testing.assert_close(probabilities.sum(dim=-1), torch.ones(walks.mask.shape))


def test_the_density_of_a_mixture_integrates_to_one() -> None:
    """On a grid, of percepts of two numbers."""
    generator = torch.Generator().manual_seed(0)
    head = MixtureHead(width=8, percept_dim=2, noise=0.7)
    head.means.data.normal_(generator=generator)
    states = torch.randn(3, 1, 8, generator=generator)
    axis = torch.linspace(-8, 8, 321)
    grid = torch.cartesian_prod(axis, axis)
    densities = head.log_prob(grid.expand(3, -1, -1), states.expand(-1, len(grid), -1)).exp()
    torch.testing.assert_close(densities.sum(dim=1) * (16 / 320) ** 2, torch.ones(3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_update_lowers_the_loss_and_reaches_all_weights(
    name: str, walks: Walks, fresh: BuildRival
) -> None:
    rival = fresh(name)
    assert isinstance(rival, PerceptPredictor)
    rival.train()
    optimizer = torch.optim.AdamW(rival.parameters(), lr=1e-3)
    losses = []
    for _ in range(6):
        loss = -rival.elbo(walks.percepts, walks.actions).elbo.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert [name for name, weight in rival.named_parameters() if weight.grad is None] == []


def test_scores_are_those_of_the_project(short: TrainConfig, source: WalkSource, walks: Walks) -> None:
    """The TEM VAE gets from this scorer what its own gives it."""
    rival = RIVALS["tem_vae"].train(short, Trial(0.016, 64), budget=1.0)
    forecaster = rival.forecaster
    assert isinstance(forecaster, TemVaeForecaster)
    ours = score(forecaster, [walks], source)
    theirs = PredictionScores(
        10, ForecastScores(source).classifier, ("memory", "decoded", "retrieval", "reconstruction")
    )
    inference = forecaster.model.infer(walks.percepts, walks.actions)
    theirs.update(walks, forecaster.model.expect(inference), forecaster.model.decode_posterior(inference))
    expected = theirs.compute()
    assert ours["revisit"] == pytest.approx(float(expected["revisit_accuracy"]))
    assert ours["zero_shot"] == pytest.approx(float(expected["zero_shot_accuracy"]))
    assert ours["decoded_revisit"] == pytest.approx(float(expected["decoded_revisit_accuracy"]))
    assert ours["nats"] == pytest.approx(
        -forecaster.model.bound(walks.percepts, inference).elbo.mean().item(), abs=0.3
    )


def test_a_score_is_of_what_was_said(source: WalkSource, walks: Walks) -> None:
    """Who knows the class of every percept is always right; who says nothing has no score."""
    assert walks.classes is not None

    class Knows:
        def forecast(self, walks: Walks) -> Forecast:
            return Forecast(class_probabilities=0.5 * one_hot(walks.known("classes"), 10) + 0.05)

    scores = score(Knows(), [walks], source)
    assert scores["revisit"] == scores["zero_shot"] == 1
    assert scores["class_nats"] == pytest.approx(-math.log(0.55))
    assert math.isnan(scores["nats"])
    assert math.isnan(scores["decoded_revisit"])


def test_training_ends_with_its_budget(short: TrainConfig) -> None:
    training = RIVALS["lstm"].train(short, Trial(1e-3, 64), budget=0.5)
    assert 0 < training.seconds < 1.5
    assert training.curve
    assert training.walk_steps > 0
    best = min(point.nats for point in training.curve if point.nats is not None)
    assert best <= (training.curve[0].nats or 0)
