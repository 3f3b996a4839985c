"""Walks of known positions, but without classes, are scored by them, and by places where these are known."""

import math
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from recorded_walks import like_a_rat, like_minigrid

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.training.run import train

SHORT = (
    "logger=none",
    "data.walk_length=30",
    "data.batch_size=4",
    "trainer.max_steps=4",
    "trainer.val_check_interval=2",
)


def trained(folder: Path, *overrides: str) -> dict[str, float | None]:
    """The scores of a short run."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("train", overrides=[*SHORT, f"run_dir={folder / 'run'}", *overrides])
    return train(validate(composed, TrainConfig), folder / "run")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float | None]:
    folder: Path = tmp_path_factory.mktemp("rat")
    return trained(folder, "experiment=rat", f"data.path={like_a_rat(folder / 'rat.h5')}")


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


def test_images_of_known_places_are_scored_by_both(tmp_path: Path) -> None:
    narrow = ("model.encoder.channels=1", "model.decoder.channels=1", "model.code_dim=16")
    path = like_minigrid(tmp_path / "walks.h5")
    scores = trained(tmp_path, "experiment=minigrid", f"data.path={path}", *narrow)
    assert 0 <= scores["test/retrieval_accuracy"] <= 1
    assert 0 <= scores["test/untrained_retrieval_zero_shot_accuracy"] <= 1
    assert scores["test/revisit_accuracy"] is None
    # A place shows one picture.
    assert scores["test/nearest_r2_at_returns"] == pytest.approx(1)
    assert scores["test/copy_r2_at_returns"] < 0
    assert 0.3 < scores["test/returns_share"] < 0.9
