"""Walks whose recorded actions are sometimes wrong: trained on, and evaluated with doubts and without."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from composed import compose_evaluation, compose_short_run
from torch import Tensor

from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.run import evaluate
from tem_vae.evaluation.trained import load_run
from tem_vae.model import Inference, PersistentSlips, TemVae
from tem_vae.runs.folder import Metrics
from tem_vae.training.believed import Believed
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
    first = PersistentSlips(5, 0.02, 0.5)
    assert not torch.equal(belief.slips.recorded.logits, first.recorded.logits)
    assert not torch.equal(belief.slips.logit, first.logit)
    columns = (doubting[0] / "history.csv").read_text().splitlines()[0]
    assert "belief/slip_rate" in columns
    assert "belief/persistence" in columns


def test_a_belief_serves_several_updates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From update 8 of 16 on, one of five; and those that it serves are made on its walks."""
    believed, percepts = [], []
    of, infer = Believed.of, TemVae.infer

    def counting_of(*given: Any) -> Believed:
        believed.append(of(*given))
        return believed[-1]

    def recording_infer(self: TemVae, given: Tensor, actions: Tensor, evenly: bool = True) -> Inference:
        if torch.is_grad_enabled():
            percepts.append(given)
        return infer(self, given, actions, evenly)

    monkeypatch.setattr(Believed, "of", counting_of)
    monkeypatch.setattr(TemVae, "infer", recording_infer)
    belief = ("model.belief.hypotheses=3", "model.belief.samples=2", "optimizer.belief_every=5")
    train(compose_short_run(*SLIPPING, *belief, "trainer.max_steps=16"), tmp_path)
    assert len(believed) == 2
    assert all(torch.equal(each, believed[0].percepts) for each in percepts[8:13])
    assert all(torch.equal(each, believed[1].percepts) for each in percepts[13:16])
    assert not any(torch.equal(first, second) for first, second in pairwise(percepts[:9]))


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


def test_persistence_that_would_be_of_no_effect_is_refused(
    told: tuple[Path, Metrics], doubting: tuple[Path, Metrics], tmp_path: Path
) -> None:
    for run, allowed in ((told[0], "hypotheses=64"), (doubting[0], "slip_rate=0.05 belief.persistence=0.5")):
        config = compose_evaluation(f"checkpoint={run}", "belief.persistence=0.4")
        with pytest.raises(ConfigurationError, match=rf"belief\.persistence = 0\.4: .*belief\.{allowed}"):
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
