import math

import pytest
import torch

from tem_vae.data import Truth, Walks, concatenate
from tem_vae.model import ElboTerms, MemorylessPrior, Prediction
from tem_vae.scores.classifier import NearestPercept
from tem_vae.scores.oracle import ImportanceWeightedBounds
from tem_vae.scores.prediction import AGENTS, MODEL, BoundScores, PredictionScores, remembered_class

# 0 -> 1 -> 0 (known link) -> 2 -> 1 (zero-shot link)
PLACES = torch.tensor([[0, 1, 0, 2, 1]])
CLASSES = torch.tensor([[0, 1, 0, 2, 1]])
PERCEPTS = torch.eye(3)[CLASSES]


def walks(places: torch.Tensor = PLACES, classes: torch.Tensor = CLASSES) -> Walks:
    batch, time = places.shape
    actions = torch.zeros(batch, time - 1, dtype=torch.long)
    truth = Truth(places, classes, torch.zeros(batch, time, 2))
    return Walks(torch.eye(3)[classes], actions, torch.ones(batch, time, dtype=torch.bool), truth)


class SpelledOut(MemorylessPrior):
    """Memory weights, (batch, time, time), as they are given."""

    def __init__(self, weights: torch.Tensor) -> None:
        object.__setattr__(self, "weights", weights)

    @property
    def heaviest(self) -> torch.Tensor:
        return self.weights.argmax(dim=-1)

    def weigh(self, values: torch.Tensor) -> torch.Tensor:
        return self.weights @ values.to(self.weights.dtype)


def predict(weights: torch.Tensor) -> Prediction:
    steps = weights.shape[-1]
    return Prediction(SpelledOut(weights), 1 - weights.sum(dim=-1), weights @ PERCEPTS[:, :steps])


def looking(looks_back_to: dict[int, int]) -> torch.Tensor:
    """Memory weights that puts all weight on one memory a step, or on the null component."""
    weights = torch.zeros(1, 5, 5)
    for step, memory in looks_back_to.items():
        weights[0, step, memory] = 1
    return weights


def prediction(looks_back_to: dict[int, int]) -> Prediction:
    return predict(looking(looks_back_to))


def scores() -> PredictionScores:
    return PredictionScores(3, NearestPercept(torch.eye(3), torch.arange(3)), (*MODEL, *AGENTS))


def test_a_model_that_remembers_right_scores_one() -> None:
    score = scores()
    score.update(walks(), prediction({2: 0, 4: 1}), PERCEPTS)
    score.update_agents(walks())
    computed = score.compute()
    for name in ("revisit_accuracy", "zero_shot_accuracy", "decoded_zero_shot_accuracy"):
        assert computed[name] == 1
    assert computed["reconstruction_accuracy"] == 1
    assert computed["novelty_auroc"] == 1
    assert 0 <= computed["novelty_calibration_error"] <= 1
    assert computed["zero_shot_moves"] == 1
    assert computed["node_agent_accuracy"] == 1
    assert computed["edge_agent_accuracy"] == 0.5
    assert computed["edge_agent_zero_shot_accuracy"] == 0


def test_a_model_that_looks_at_the_wrong_place_is_wrong_where_it_does() -> None:
    score = scores()
    score.update(walks(), prediction({2: 0, 4: 0}), PERCEPTS)
    computed = score.compute()
    assert computed["revisit_accuracy"] == 0.5
    assert computed["zero_shot_accuracy"] == 0
    assert computed["decoded_zero_shot_accuracy"] == 0


def test_where_nothing_is_revisited_scores_are_undefined_not_wrong() -> None:
    score = scores()
    fresh = walks(torch.tensor([[0, 1, 2, 3, 4]]), CLASSES)
    score.update(fresh, prediction({}), PERCEPTS)
    computed = score.compute()
    for name in ("revisit_accuracy", "zero_shot_accuracy", "decoded_revisit_accuracy", "novelty_auroc"):
        assert math.isnan(computed[name])
    assert computed["zero_shot_moves"] == 0


def test_retrieval_looks_at_the_heaviest_memory() -> None:
    score = scores()
    score.update(walks(), prediction({2: 0, 4: 0}), PERCEPTS)
    computed = score.compute()
    assert computed["retrieval_accuracy"] == 0.5
    assert computed["retrieval_zero_shot_accuracy"] == 0


def test_retrieval_needs_no_classes() -> None:
    score = PredictionScores(None, None, (*MODEL, *AGENTS))
    score.update(walks()._replace(truth=Truth(places=PLACES)), prediction({2: 0, 4: 1}), PERCEPTS)
    score.update_agents(walks()._replace(truth=Truth(places=PLACES)))
    computed = score.compute()
    assert computed["retrieval_accuracy"] == computed["retrieval_zero_shot_accuracy"] == 1
    assert computed["novelty_auroc"] == 1
    assert 0 <= computed["novelty_calibration_error"] <= 1
    for name in ("revisit_accuracy", "decoded_revisit_accuracy", "node_agent_accuracy"):
        assert math.isnan(computed[name])


def test_without_truth_nothing_is_scored() -> None:
    score = scores()
    score.update(walks()._replace(truth=None), prediction({2: 0, 4: 1}), PERCEPTS)
    score.update_agents(walks()._replace(truth=None))
    assert all(math.isnan(value) for value in score.compute().values())


def test_padding_changes_no_score() -> None:
    short, long = walks(PLACES[:, :4], CLASSES[:, :4]), walks()
    expected, found = scores(), scores()
    for batch, looks in ((short, {2: 1}), (long, {2: 0, 4: 0})):
        steps = batch.percepts.shape[1]
        one = predict(looking(looks)[:, :steps, :steps])
        expected.update(batch, one, PERCEPTS[:, :steps])
        expected.update_agents(batch)
    both = concatenate([short, long])
    assert both.mask.sum(dim=1).tolist() == [4, 5]
    joined = predict(torch.cat([looking({2: 1}), looking({2: 0, 4: 0})]))
    found.update(both, joined, PERCEPTS.expand(2, -1, -1))
    found.update_agents(both)
    for name, value in expected.compute().items():
        torch.testing.assert_close(found.compute()[name], value, equal_nan=True)


def test_reset_forgets_everything() -> None:
    score = scores()
    score.update(walks(), prediction({2: 1, 4: 0}), PERCEPTS)
    score.reset()
    score.update(walks(), prediction({2: 0, 4: 1}), PERCEPTS)
    assert score.compute()["revisit_accuracy"] == 1
    assert score.compute()["zero_shot_moves"] == 1


def test_remembered_class_adds_the_weights_of_a_class() -> None:
    weights = torch.tensor([[[0.0] * 4, [0.0] * 4, [0.0] * 4, [0.4, 0.3, 0.3, 0.0]]])
    classes = torch.tensor([[0, 1, 1, 0]])
    assert remembered_class(SpelledOut(weights), classes, 2)[0, 3] == 1


def test_the_classifier_names_the_nearest_reference() -> None:
    classifier = NearestPercept(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([7, 3]))
    assert classifier(torch.tensor([[[0.4, 5.0], [0.6, 5.0]]])).tolist() == [[7, 3]]


def test_the_classifier_is_the_same_for_more_percepts_than_fit_at_once() -> None:
    torch.manual_seed(0)
    classifier = NearestPercept(torch.randn(20, 3), torch.arange(20))
    percepts = torch.randn(9000, 3)
    torch.testing.assert_close(classifier(percepts)[8999:], classifier(percepts[8999:]))


def test_bounds_are_means_over_steps_of_uneven_batches() -> None:
    bounds = BoundScores()
    for value, steps in ((1.0, 2), (4.0, 4)):
        term = torch.full((1, steps), value)
        everything = torch.ones(1, steps, dtype=torch.bool)
        bounds.update_terms(ElboTerms(term, -term, term), everything)
        bounds.update_importance_weighted(ImportanceWeightedBounds(model=-term, oracle=term), everything)
    computed = bounds.compute().means
    assert computed["reconstruction"] == pytest.approx(3)
    assert computed["kl"] == pytest.approx(6)
    assert computed["elbo"] == pytest.approx(-3)
    assert computed["predictive_gap"] == pytest.approx(6)
