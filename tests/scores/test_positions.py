"""Predictions scored where walkers have positions, but no places or classes."""

import math
from types import SimpleNamespace

import pytest
import torch

from tem_vae.data import Truth, Walks
from tem_vae.scores.positions import PositionScores, last_seen, nearest_earlier

# Out along a line, and back beside it.
LINE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.0, 0.1], [1.0, 0.1]])


def walk(percepts: torch.Tensor, classes: torch.Tensor | None = None) -> Walks:
    positions = LINE[None, : percepts.shape[1]]
    mask = torch.ones(percepts.shape[:2], dtype=torch.bool)
    return Walks(percepts, torch.zeros(1, percepts.shape[1] - 1, 2), mask, Truth(None, classes, positions))


def score(walks: Walks, predicted: torch.Tensor, steps: torch.Tensor) -> dict[str, float]:
    scores = PositionScores()
    looked_at = {
        "retrieval": SimpleNamespace(heaviest=steps),
        "untrained": SimpleNamespace(heaviest=torch.zeros_like(steps)),
    }
    both = {"decoded": predicted, "reconstruction": walks.percepts}
    scores.update_walks(walks, walks.percepts, both, looked_at)
    return {name: float(mean) for name, mean in scores.estimates().means.items()}


def test_a_step_looks_for_the_nearest_earlier_one_that_was_seen() -> None:
    seen = torch.ones(1, 6, dtype=torch.bool)
    assert nearest_earlier(LINE[None], seen)[0, 1:].tolist() == [0, 1, 2, 2, 1]
    seen[0, 1] = False
    assert nearest_earlier(LINE[None], seen)[0, 1:].tolist() == [0, 0, 2, 2, 4]
    assert last_seen(seen).tolist() == [[-1, 0, 0, 2, 3, 4]]


def test_chunks_of_rows_find_what_all_rows_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = torch.randn(2, 50, 2)
    seen = torch.rand(2, 50) < 0.7
    whole = nearest_earlier(positions, seen)
    monkeypatch.setattr("tem_vae.scores.positions._NUMBERS_AT_ONCE", 700)
    assert torch.equal(nearest_earlier(positions, seen), whole)


def test_percepts_that_are_positions_have_the_errors_of_positions() -> None:
    percepts = LINE[None].clone()
    steps = torch.tensor([[0, 0, 1, 2, 2, 1]])
    scores = score(walk(percepts), torch.zeros_like(percepts), steps)
    variance = (percepts - percepts.mean(dim=1)).square().sum(dim=-1)[0]
    assert scores["reconstruction_r2"] == 1
    assert scores["nearest_r2"] == pytest.approx(
        float(1 - (1 + 1 + 1 + 0.01 + 0.01) / variance[1:].sum()), abs=1e-5
    )
    assert scores["decoded_r2"] == pytest.approx(
        float(1 - percepts[0, 1:].square().sum() / variance[1:].sum())
    )
    # Only the last two steps are returns: there the last position is 1 away.
    assert scores["returns_share"] == pytest.approx(2 / 5)
    at_returns = variance[4:].sum()
    assert scores["nearest_r2_at_returns"] == pytest.approx(float(1 - 0.02 / at_returns), abs=1e-5)
    assert scores["copy_r2_at_returns"] == pytest.approx(float(1 - (1.01 + 1) / at_returns), abs=1e-5)
    assert scores["retrieval_distance_at_returns"] == pytest.approx(0.1)
    assert scores["nearest_distance"] == pytest.approx(3.2 / 5)
    assert scores["untrained_distance_at_returns"] == pytest.approx(float(LINE[4:].norm(dim=-1).mean()))


def test_where_places_are_known_returns_are_revisits() -> None:
    percepts = torch.randn(1, 6, 3)
    places = torch.tensor([[4, 7, 4, 4, 9, 7]])
    walks = walk(percepts)._replace(truth=Truth(places, None, LINE[None]))
    scores = score(walks, percepts, torch.zeros(1, 6, dtype=torch.long))
    assert scores["returns_share"] == pytest.approx(2 / 5)  # the step that stays is none
    variance = (percepts - percepts.mean(dim=1)).square().sum(dim=-1)[0]
    errors = [(percepts[0, a] - percepts[0, b]).square().sum() for a, b in ((2, 0), (5, 1))]
    assert scores["nearest_r2_at_returns"] == pytest.approx(float(1 - sum(errors) / variance[[2, 5]].sum()))
    assert scores["nearest_distance_at_returns"] == pytest.approx(
        float(LINE[2, 0] + LINE[5].dist(LINE[1])) / 2
    )


def test_padding_and_missing_percepts_are_not_scored() -> None:
    percepts = torch.cat([LINE, torch.full((3, 2), 7.0)])[None]
    missing = percepts.clone()
    missing[0, 2] = torch.nan
    positions = torch.cat([LINE, torch.zeros(3, 2)])[None]
    mask = torch.arange(9)[None] < 6
    padded = Walks(missing, torch.zeros(1, 8, 2), mask, Truth(positions=positions))
    scores = score(padded, torch.zeros_like(percepts), torch.zeros(1, 9, dtype=torch.long))
    assert scores["copy_distance"] == pytest.approx(float(1 + 2 + LINE[3].dist(LINE[4]) + 1) / 4)
    there = LINE[[0, 1, 3, 4, 5]]
    variance = (there - there.mean(dim=0)).square().sum(dim=-1)[1:].sum()
    assert scores["nearest_r2"] == pytest.approx(float(1 - (1 + 4 + 1.01 + 0.01) / variance), abs=1e-5)


def test_walks_with_classes_are_scored_by_these_instead() -> None:
    percepts = torch.randn(1, 6, 3)
    steps = torch.zeros(1, 6, dtype=torch.long)
    with_classes = walk(percepts, torch.zeros(1, 6, dtype=torch.long))
    assert all(math.isnan(value) for value in score(with_classes, percepts, steps).values())


def test_percepts_alone_have_an_r2_at_all_steps() -> None:
    percepts = LINE[None].clone()
    walks = walk(percepts)._replace(truth=None)
    scores = score(walks, torch.zeros_like(percepts), torch.zeros(1, 6, dtype=torch.long))
    variance = (percepts - percepts.mean(dim=1)).square().sum(dim=-1)[0, 1:].sum()
    assert scores["copy_r2"] == pytest.approx(float(1 - (3 + 1.01 + 1) / variance), abs=1e-5)
    assert scores["decoded_r2"] == pytest.approx(float(1 - percepts[0, 1:].square().sum() / variance))
    assert {name for name, value in scores.items() if not math.isnan(value)} == {
        "decoded_r2",
        "copy_r2",
        "reconstruction_r2",
    }
    places = torch.tensor([[4, 7, 4, 4, 9, 7]])
    scores = score(walks._replace(truth=Truth(places)), percepts, torch.zeros(1, 6, dtype=torch.long))
    assert scores["returns_share"] == pytest.approx(2 / 5)
    assert scores["decoded_r2_at_returns"] == 1
    assert math.isnan(scores["nearest_r2"])


def test_in_a_bin_the_nearest_earlier_step_is_the_nearest_in_the_bin() -> None:
    places = torch.tensor([[0, 0, 1, 1, 0, 1]])
    nearest = nearest_earlier(LINE[None], torch.ones(1, 6, dtype=torch.bool), places)
    assert nearest[0, 1:].tolist() == [0, 1, 2, 1, 2]  # step 2 lies nearer to step 4, in the other bin


def test_percepts_that_do_not_vary_have_no_r2() -> None:
    percepts = torch.ones(1, 6, 2)
    scores = score(walk(percepts), torch.zeros_like(percepts), torch.zeros(1, 6, dtype=torch.long))
    assert math.isnan(scores["decoded_r2"])
