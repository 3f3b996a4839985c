"""Runs on recorded walks: trained, tested, evaluated on others; and what a stranger's checkpoint opens."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from composed import compose_evaluation
from hydra import compose, initialize_config_dir
from recorded_walks import STEPS, lattice_walk, recorded, write_hdf5

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.run import evaluate
from tem_vae.training import load
from tem_vae.training.run import train

SMALL = (
    "data=walks",
    "logger=none",
    "model.code_dim=16",
    "model.metric.rank=4",
    "model.decoder.hidden_dim=16",
    "data.walk_length=20",
    "data.batch_size=4",
    "data.validation.walk_length=30",
    "data.test.walk_length=30",
    "data.test.walks=8",
    "optimizer.warmup_updates=3",
    "trainer.max_steps=8",
    "trainer.val_check_interval=4",
    "trainer.log_every_n_steps=2",
    "trainer.checkpoint_interval=4",
)


def configured(path: Path, run_dir: Path, *overrides: str) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        given = [*SMALL, f"data.path={path}", f"run_dir={run_dir}", *overrides]
        return validate(compose("train", overrides=given), TrainConfig)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, the walks that it was trained on, and other walks."""
    folder = tmp_path_factory.mktemp("recorded")
    recorded(folder / "other.h5", walks=3, length=40)
    config = configured(recorded(folder / "walks.h5", walks=8), folder / "run")
    assert config.data.doubts() == []
    train(config, folder / "run")
    return folder


def scores(folder: Path) -> dict[str, float | None]:
    return {k: v for k, v in json.loads((folder / "metrics.json").read_text()).items() if "train/" not in k}


def test_its_test_can_be_repeated(folder: Path, tmp_path: Path) -> None:
    evaluate(compose_evaluation(f"checkpoint={folder}/run"), tmp_path / "again")
    again = scores(tmp_path / "again")
    assert again == scores(folder / "run")
    assert again["test/elbo"] is not None
    assert again["test/node_agent_accuracy"] == 1.0
    assert again["test/decoded_revisit_accuracy"] is not None


def test_it_is_evaluated_on_other_walks(folder: Path, tmp_path: Path) -> None:
    given = (f"checkpoint={folder}/run", f"data.path={folder}/other.h5", "data.split.test=1.")
    evaluate(compose_evaluation(*given), tmp_path / "other")
    found = scores(tmp_path / "other")
    assert found["test/elbo"] != scores(folder / "run")["test/elbo"]
    # Memory names a class as the baselines do; decoded percepts have no training walks to be compared with.
    assert found["test/revisit_accuracy"] is not None
    assert found["test/node_agent_accuracy"] == 1.0
    assert found["test/decoded_revisit_accuracy"] is None


def test_training_on_actions_that_contradict_each_other_warns_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    walks = {}
    for number in range(4):
        walk = lattice_walk(40, seed=number)
        walk["actions"] = np.random.default_rng(9 + number).integers(0, 4, 39)  # not what happened
        walks[f"w{number}"] = {**walk, "world": number}
    config = configured(write_hdf5(tmp_path / "w.h5", walks), tmp_path / "run", "trainer.max_steps=1")
    with caplog.at_level("WARNING"):
        train(config, tmp_path / "run")
    assert caplog.text.count("path integration cannot represent the actions of") == 1
    assert "led to several places: action" in caplog.text


def test_two_runs_on_the_same_walks_are_the_same(folder: Path, tmp_path: Path) -> None:
    train(configured(folder / "walks.h5", tmp_path / "run"), tmp_path / "run")
    assert scores(tmp_path / "run") == scores(folder / "run")


def test_a_run_on_walks_without_truth_has_a_bound_and_no_accuracy(tmp_path: Path) -> None:
    walks = {}
    for number in range(4):
        walk = lattice_walk(40, seed=number)
        percepts = walk["percepts"].copy()
        percepts[5:7] = np.nan
        actions = np.array(STEPS, np.float32)[walk["actions"]]
        walks[f"walk_{number}"] = {"percepts": percepts, "actions": actions}
    path = write_hdf5(tmp_path / "walks.h5", walks)
    train(configured(path, tmp_path / "run", "model/path_integration=linear"), tmp_path / "run")
    found = scores(tmp_path / "run")
    assert found["test/elbo"] is not None
    assert found["test/revisit_accuracy"] is None
    assert found["test/retrieval_accuracy"] is None


def test_what_cannot_be_evaluated_is_said_in_one_sentence(folder: Path, tmp_path: Path) -> None:
    walk = lattice_walk(40)
    wide = np.concatenate([walk["percepts"]] * 2, axis=1)
    five = {**walk, "actions": np.where(np.arange(39) == 0, 4, walk["actions"])}
    write_hdf5(tmp_path / "wide.h5", {f"w{n}": {**walk, "percepts": wide} for n in range(3)})
    write_hdf5(tmp_path / "five.h5", {f"w{n}": five for n in range(3)})
    for override, expected in {
        "data.split.test=1.": "another split would test on walks that the run was trained on",
        "data.world.height=4": "data.world.height: the run was trained on recorded walks",
        f"data.path={tmp_path}/wide.h5": "have the shape (12,), and those of training (6,)",
        f"data.path={tmp_path}/five.h5": "are 0, 1, 2, 3, 4, and those of training 0, 1, 2, 3",
    }.items():
        with pytest.raises(ConfigurationError, match=re.escape(expected)):
            evaluate(compose_evaluation(f"checkpoint={folder}/run", override), tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_a_checkpoint_without_its_run_opens_no_file_by_itself(folder: Path, tmp_path: Path) -> None:
    alone = shutil.copy(folder / "run" / "checkpoints" / "best.ckpt", tmp_path / "alone.ckpt")
    moved = folder / "walks.h5.moved"
    (folder / "walks.h5").rename(moved)
    try:
        assert load(alone).metric.factorize() is not None
    finally:
        moved.rename(folder / "walks.h5")
    with pytest.raises(ConfigurationError, match=r"say which walks to test on with data\.path=PATH"):
        evaluate(compose_evaluation(f"checkpoint={alone}"), tmp_path / "never")
    evaluate(compose_evaluation(f"checkpoint={alone}", f"data.path={folder}/walks.h5"), tmp_path / "given")
    assert scores(tmp_path / "given") == scores(folder / "run")


def test_walks_that_changed_are_other_walks(tmp_path: Path) -> None:
    path = recorded(tmp_path / "walks.h5", walks=4)
    train(configured(path, tmp_path / "run"), tmp_path / "run")
    recorded(path.with_suffix(".new"), walks=5).rename(path)
    with pytest.raises(ConfigurationError, match="holds other walks than it did when the run began"):
        evaluate(compose_evaluation(f"checkpoint={tmp_path}/run"), tmp_path / "never")
    path.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        evaluate(compose_evaluation(f"checkpoint={tmp_path}/run"), tmp_path / "never")
