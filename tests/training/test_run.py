"""A short run in process: what it writes, what it reads back, what its numbers are."""

import csv
import json
from pathlib import Path

import pytest
import torch
import yaml
from composed import compose_evaluation, compose_short_run

from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.run import evaluate
from tem_vae.runs.folder import Metrics
from tem_vae.training import load
from tem_vae.training.run import train

CONTRACT = {
    "test/revisit_accuracy",
    "test/zero_shot_accuracy",
    "test/decoded_revisit_accuracy",
    "test/decoded_zero_shot_accuracy",
    "test/reconstruction_accuracy",
    "test/predictive_gap",
    "test/elbo",
    "test/iwae",
    "test/reconstruction",
    "test/kl",
    "test/novelty_auroc",
    "test/novelty_calibration_error",
    "test/effective_rank",
    "test/edge_agent_accuracy",
    "test/majority_accuracy",
    "test/zero_shot_moves",
    "train/seconds",
    "train/steps_per_second",
    "train/updates",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Metrics]:
    run_dir = tmp_path_factory.mktemp("runs") / "short"
    return run_dir, train(compose_short_run("logger=csv", "data.test.walk_length=200"), run_dir)


def test_every_number_of_the_contract_is_there(finished: tuple[Path, Metrics]) -> None:
    run_dir, metrics = finished
    written = json.loads((run_dir / "metrics.json").read_text())
    assert written.keys() >= CONTRACT
    assert written == metrics
    assert all(value is None or isinstance(value, int | float) for value in written.values())


def test_the_numbers_are_what_they_must_be(finished: tuple[Path, Metrics]) -> None:
    _, metrics = finished
    updates = compose_short_run().trainer.max_steps
    assert metrics["train/updates"] == updates
    assert metrics["test/node_agent_accuracy"] == 1
    assert metrics["test/edge_agent_accuracy"] < 1
    assert metrics["test/untrained_zero_shot_accuracy"] < 0.6
    assert metrics["test/elbo"] == pytest.approx(
        metrics["test/reconstruction"] - metrics["test/kl"], abs=1e-3
    )
    # Each update saw 4 walks of 20 steps, or 2 of 40.
    walk_steps = metrics["train/steps_per_second"] * metrics["train/seconds"]
    assert walk_steps == pytest.approx(updates * 4 * 20)


def test_the_files_of_a_run(finished: tuple[Path, Metrics]) -> None:
    run_dir, _ = finished
    config = TrainConfig.model_validate(yaml.safe_load((run_dir / "config.yaml").read_text()))
    assert config.model.metric.rank == 4
    assert (run_dir / "checkpoints" / "best.ckpt").is_file()
    assert (run_dir / "checkpoints" / "last.ckpt").is_file()
    with (run_dir / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {
        "update",
        "elbo/elbo",
        "elbo/kl",
        "prediction/zero_shot_accuracy",
        "optimizer/gradient_norm",
    } <= rows[0].keys()
    assert any(row["metric/sigma_E_04"] for row in rows)


def test_the_loaded_model_predicts_as_it_did(finished: tuple[Path, Metrics]) -> None:
    run_dir, _ = finished
    model = load(run_dir)
    assert not model.training
    percepts, actions = torch.randn(1, 6, 64), torch.randint(5, (1, 5))
    again = load(run_dir / "checkpoints" / "best.ckpt").predict(percepts, actions)
    for first, second in zip(model.predict(percepts, actions), again, strict=True):
        torch.testing.assert_close(first, second)


def test_evaluation_of_the_test_walks_gives_the_same_scores(
    finished: tuple[Path, Metrics], tmp_path: Path
) -> None:
    run_dir, metrics = finished
    (scores,) = evaluate(compose_evaluation(f"checkpoint={run_dir}"), tmp_path).values()
    for name in ("test/zero_shot_accuracy", "test/decoded_revisit_accuracy", "test/elbo", "test/iwae"):
        assert scores[name] == pytest.approx(metrics[name], abs=1e-5), name


@pytest.mark.parametrize("inside", ["", "checkpoints", "report/new"])
def test_an_evaluation_is_refused_in_a_training_run(finished: tuple[Path, Metrics], inside: str) -> None:
    run_dir, _ = finished
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")}
    with pytest.raises(ConfigurationError, match="lies in the training run"):
        compose_evaluation(f"checkpoint={run_dir}", f"run_dir={run_dir / inside}")
    with pytest.raises(ConfigurationError, match="lies in the training run"):
        compose_evaluation(f"checkpoint={run_dir}", f"hydra.run.dir={run_dir / inside}")
    with pytest.raises(ConfigurationError, match="lies in the training run"):
        evaluate(compose_evaluation(f"checkpoint={run_dir}"), run_dir / inside)
    assert {path: path.stat().st_mtime_ns for path in run_dir.rglob("*")} == before


def test_several_checkpoints_are_not_scored_into_runs_of_their_names(
    finished: tuple[Path, Metrics], tmp_path: Path
) -> None:
    run_dir, _ = finished
    # Scores of a checkpoint go to a folder of its name.
    (tmp_path / "last.ckpt").symlink_to(run_dir)
    checkpoints = ",".join(str(run_dir / "checkpoints" / name) for name in ("best.ckpt", "last.ckpt"))
    with pytest.raises(ConfigurationError, match="lies in the training run"):
        evaluate(compose_evaluation(f"checkpoint=[{checkpoints}]"), tmp_path)


def test_evaluation_in_other_worlds(finished: tuple[Path, Metrics], tmp_path: Path) -> None:
    run_dir, _ = finished
    overrides = ("data.world.height=6", "data.world.width=[5,7]", "data.walk_length=90", "data.walks=3")
    (scores,) = evaluate(compose_evaluation(f"checkpoint={run_dir}", *overrides), tmp_path).values()
    assert json.loads((tmp_path / "metrics.json").read_text()).keys() >= {
        name for name in CONTRACT if name.startswith("test/")
    }
    assert scores["test/zero_shot_moves"] > 0


def test_a_walk_without_revisit_has_no_score_to_give(finished: tuple[Path, Metrics], tmp_path: Path) -> None:
    run_dir, _ = finished
    config = compose_evaluation(f"checkpoint={run_dir}", "data.walk_length=2")
    (scores,) = evaluate(config, tmp_path).values()
    assert scores["test/revisit_accuracy"] is None
    assert scores["test/novelty_auroc"] is None
    assert scores["test/elbo"] is not None


def test_the_same_seed_trains_the_same_model(tmp_path: Path) -> None:
    short = ("trainer.max_steps=6", "data.test.walks=1")
    states = [
        train(compose_short_run(*short, f"seed={seed}"), tmp_path / name)
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert states[0]["test/elbo"] == states[1]["test/elbo"] != states[2]["test/elbo"]


@pytest.mark.parametrize(("interval", "validated"), [(4, [4, 6]), (3, [3, 6]), (100, [6])])
def test_the_last_update_is_validated_whatever_the_interval(
    tmp_path: Path, interval: int, validated: list[int]
) -> None:
    short = ("trainer.max_steps=6", "data.test.walks=1", "trainer.log_every_n_steps=1")
    train(compose_short_run(*short, f"trainer.val_check_interval={interval}"), tmp_path / "run")
    with (tmp_path / "run" / "history.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["elbo/validation_elbo"]]
    assert [int(row["update"]) + 1 for row in rows] == validated


def test_symbols_report_the_share_of_the_known_subspace(tmp_path: Path) -> None:
    overrides = (
        "data/percepts=symbols",
        "data.percepts.dim=32",
        "model.encoder.kind=identity",
        "trainer.max_steps=2",
    )
    metrics = train(compose_short_run(*overrides), tmp_path / "run")
    assert 0 < metrics["test/relevant_share_E"] < 1
    assert 0 < metrics["test/relevant_share_whitening"] < 1


def test_codes_of_a_trained_encoder_have_no_known_subspace(tmp_path: Path) -> None:
    overrides = ("data/percepts=symbols", "data.percepts.dim=48", "trainer.max_steps=2")
    metrics = train(compose_short_run(*overrides), tmp_path / "run")
    assert metrics["test/relevant_share_E"] is None
    assert metrics["test/revisit_accuracy"] is not None


def test_two_checkpoints_are_scored_on_the_same_walks(finished: tuple[Path, Metrics], tmp_path: Path) -> None:
    checkpoints = [finished[0] / "checkpoints" / name for name in ("best.ckpt", "last.ckpt")]
    overrides = (f"checkpoint=[{checkpoints[0]},{checkpoints[1]}]", "data.walks=2", "data.walk_length=60")
    results = evaluate(compose_evaluation(*overrides), tmp_path)
    assert list(results) == ["best.ckpt", "last.ckpt"]
    best, last = results.values()
    for of_the_walks in ("test/zero_shot_moves", "test/edge_agent_accuracy", "test/majority_accuracy"):
        assert best[of_the_walks] == last[of_the_walks]
    with (tmp_path / "comparison.csv").open(newline="") as file:
        rows = {row["score"]: row for row in csv.DictReader(file)}
    for name, metrics in results.items():
        assert json.loads((tmp_path / name / "metrics.json").read_text()) == metrics
        assert float(rows["test/elbo"][name]) == metrics["test/elbo"]
        assert float(rows["test_standard_error/elbo"][name]) == metrics["test_standard_error/elbo"]


def test_scores_have_standard_errors_over_walks(finished: tuple[Path, Metrics], tmp_path: Path) -> None:
    run_dir, metrics = finished
    assert metrics["test_standard_error/elbo"] > 0
    config = compose_evaluation(f"checkpoint={run_dir}", "data.walks=1", "data.walk_length=60")
    (one_walk,) = evaluate(config, tmp_path).values()
    assert one_walk["test_standard_error/elbo"] is None
