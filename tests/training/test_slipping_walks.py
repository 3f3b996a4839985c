"""Walks whose recorded actions are sometimes wrong: trained on, and evaluated with doubts and without."""

from pathlib import Path

import pytest
import torch
from composed import compose_evaluation, compose_short_run

from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.run import evaluate
from tem_vae.evaluation.trained import load_run
from tem_vae.model import ActionSlips
from tem_vae.runs.folder import Metrics
from tem_vae.training.run import train

SLIPPING = ("data.slips=0.3", "data.test.walk_length=40", "data.test.walks=3")
BELIEF_SCORES = ("test/slip_auroc", "test/belief_entropy", "test/belief_evidence", "test/location_error")


@pytest.fixture(scope="module")
def doubting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Metrics]:
    run_dir = tmp_path_factory.mktemp("runs") / "doubting"
    belief = ("model.belief.hypotheses=3", "model.belief.samples=2", "optimizer.belief_from=0.5")
    return run_dir, train(compose_short_run(*SLIPPING, *belief), run_dir)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Metrics]:
    run_dir = tmp_path_factory.mktemp("runs") / "told"
    return run_dir, train(compose_short_run(*SLIPPING, "trainer.max_steps=2"), run_dir)


def test_what_a_belief_is_worth_is_scored(doubting: tuple[Path, Metrics]) -> None:
    _, metrics = doubting
    for name in BELIEF_SCORES:
        assert metrics[name] is not None, name
    assert 0 <= (metrics["test/slip_auroc"] or -1) <= 1


def test_the_table_of_slips_is_learned_and_kept(doubting: tuple[Path, Metrics]) -> None:
    belief = load_run(doubting[0]).model.belief
    assert belief is not None
    assert not torch.equal(belief.slips.logits, ActionSlips(5, 0.02).logits)
    assert "belief/slip_rate" in (doubting[0] / "history.csv").read_text().splitlines()[0]


def test_without_doubts_there_are_no_such_scores(told: tuple[Path, Metrics]) -> None:
    assert not told[1].keys() & set(BELIEF_SCORES)


@pytest.mark.parametrize("more", [(), ("belief.persistence=0.5",)])
def test_an_evaluation_switches_doubts_on(
    told: tuple[Path, Metrics], more: tuple[str, ...], tmp_path: Path
) -> None:
    overrides = ("belief.hypotheses=4", "belief.slip_rate=0.3", *more)
    (scores,) = evaluate(compose_evaluation(f"checkpoint={told[0]}", *overrides), tmp_path).values()
    assert scores.keys() >= set(BELIEF_SCORES)
    assert scores["test/zero_shot_moves"] == told[1]["test/zero_shot_moves"]


def test_an_evaluation_estimates_how_often_actions_are_wrong(
    told: tuple[Path, Metrics], tmp_path: Path
) -> None:
    config = compose_evaluation(f"checkpoint={told[0]}", "belief.hypotheses=4", "data.slips=0.5")
    (scores,) = evaluate(config, tmp_path).values()
    assert scores["test/slip_auroc"] is not None


def test_an_evaluation_switches_doubts_off(doubting: tuple[Path, Metrics], tmp_path: Path) -> None:
    config = compose_evaluation(f"checkpoint={doubting[0]}", "belief.hypotheses=1")
    (scores,) = evaluate(config, tmp_path).values()
    assert not scores.keys() & set(BELIEF_SCORES)


def test_a_rate_without_hypotheses_is_refused(told: tuple[Path, Metrics], tmp_path: Path) -> None:
    config = compose_evaluation(f"checkpoint={told[0]}", "belief.slip_rate=0.1")
    with pytest.raises(ConfigurationError, match=r"belief\.hypotheses=64"):
        evaluate(config, tmp_path)


def test_noise_of_numbered_actions_is_refused(told: tuple[Path, Metrics], tmp_path: Path) -> None:
    config = compose_evaluation(f"checkpoint={told[0]}", "belief.hypotheses=4", "belief.motion_noise=0.1")
    with pytest.raises(ConfigurationError, match=r"belief\.motion_noise = 0\.1: .*belief\.slip_rate=0\.05"):
        evaluate(config, tmp_path)


def test_doubts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="foresees nothing"):
        compose_short_run("model/memory=standard_normal", "model.belief.hypotheses=2")
    with pytest.raises(ConfigurationError, match="slip_rate"):
        compose_short_run("model.belief.hypotheses=2", "model.belief.slip_rate=1.5")
