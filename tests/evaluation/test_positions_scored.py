"""Walks of known positions, but without places and classes, are scored by them."""

import math
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from recorded_walks import like_a_rat

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.training.run import train

SHORT = (
    "experiment=rat",
    "logger=none",
    "data.walk_length=30",
    "data.batch_size=4",
    "trainer.max_steps=4",
    "trainer.val_check_interval=2",
)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float | None]:
    folder: Path = tmp_path_factory.mktemp("rat")
    overrides = [*SHORT, f"data.path={like_a_rat(folder / 'rat.h5')}", f"run_dir={folder / 'run'}"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = validate(compose("train", overrides=overrides), TrainConfig)
    return train(config, folder / "run")


def test_a_linear_map_of_displacements_looks_at_the_nearest_position(scores) -> None:
    # Already with fresh weights: displacements add up, whatever the map.
    assert scores["test/retrieval_distance"] == pytest.approx(scores["test/nearest_distance"], rel=0.05)
    assert scores["test/untrained_distance"] == pytest.approx(scores["test/nearest_distance"], rel=0.05)
    assert scores["test/nearest_distance_at_returns"] < 0.6 * scores["test/copy_distance_at_returns"]


def test_remembering_beats_copying_where_the_rat_returns(scores) -> None:
    assert scores["test/nearest_r2"] >= scores["test/copy_r2"] - 0.01
    assert scores["test/nearest_r2_at_returns"] > scores["test/copy_r2_at_returns"]
    assert -math.inf < scores["test/decoded_r2"] < 1


def test_without_places_there_is_no_accuracy(scores) -> None:
    assert scores["test/retrieval_accuracy"] is None
    assert scores["test_standard_error/decoded_r2"] > 0
