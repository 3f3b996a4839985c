"""Worlds as a configuration describes them, in training and in evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from tem_vae.data import HexagonalWorlds, ObstructedWorlds, RectangularWorlds, RelabelledWorlds, RingWorlds
from tem_vae.training.build import build_data
from tem_vae.training.composition import CONF
from tem_vae.training.config import DataConfig, EvaluationDataConfig, TrainConfig
from tem_vae.training.errors import ConfigurationError
from tem_vae.training.run import override_held_out
from tem_vae.training.schema import check, validate

ROOT = Path(__file__).parents[2]
FIGURE_EIGHT = ROOT / "examples" / "worlds" / "figure_eight.json"
NULLS = {"walk_length": None, "walks": None, "seed": None}
NO_WORLD = dict.fromkeys(("kind", "height", "width", "obstacles", "walls", "radius", "places", "file"))


def composed(*overrides: str) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=list(overrides)), TrainConfig)


def evaluated_on(**world: Any) -> EvaluationDataConfig:
    return EvaluationDataConfig.model_validate(NULLS | {"world": NO_WORLD | world})


@pytest.mark.parametrize("name", ["lattice", "hexagonal", "ring", "obstructed"])
def test_every_kind_of_world_yields_walks_for_training_validation_and_test(name: str) -> None:
    config = composed(f"data={name}")
    data = build_data(config.data, seed=0, updates=1)
    for source in (data.train, data.validation.source, data.test.source):
        walks = source.sample(np.random.default_rng(0))
        assert int(walks.actions.max()) < len(config.data.world.actions)


def test_a_graph_is_read_once_and_kept(tmp_path: Path) -> None:
    copy = tmp_path / "mine.json"
    copy.write_text(FIGURE_EIGHT.read_text())
    config = composed("data=graph", f"data.world.file={copy}")
    copy.unlink()
    again = TrainConfig.model_validate(config.model_dump(mode="json"))
    assert again == config
    assert again.data.test.world.actions == ("stay", "up", "right", "left", "down")


@pytest.mark.parametrize("content", ["[", '{"places": [], "links": []}'])
def test_a_malformed_file_is_a_wrong_configuration(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"mine.json (is no JSON|describes no world)"):
        composed("data=graph", f"data.world.file={file}")


def test_a_missing_file_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.json cannot be read: No such file"):
        composed("data=graph", "data.world.file=nowhere.json")


def test_a_ring_of_two_is_a_wrong_configuration() -> None:
    with pytest.raises(ConfigurationError, match="a ring has at least 3 places"):
        composed("data=ring", "data.world.places=2")


def test_tests_with_actions_that_training_lacks_are_refused() -> None:
    values = composed().data.model_dump(mode="json")
    values["test"]["world"] = {"kind": "hexagonal", "radius": 2}
    with pytest.raises(ConfigurationError, match=r"test.world: .*the actions east, northeast"):
        check(values, DataConfig)


class TestEvaluation:
    def test_null_keeps_what_the_run_was_tested_on(self) -> None:
        trained = composed().data
        assert override_held_out(trained, evaluated_on()) == trained.test

    def test_a_size_alone_keeps_the_kind(self) -> None:
        held_out = override_held_out(composed().data, evaluated_on(height=20))
        assert held_out.world.model_dump() == {"kind": "rectangular", "height": (20, 20), "width": (8, 8)}

    def test_another_kind_with_the_same_actions(self) -> None:
        world = {"kind": "obstructed", "height": 9, "width": 9, "obstacles": 0.1, "walls": 0.2}
        held_out = override_held_out(composed().data, evaluated_on(**world))
        assert held_out.world.kind == "obstructed"

    def test_a_graph_whose_actions_are_in_another_order(self) -> None:
        trained = composed().data
        held_out = override_held_out(trained, evaluated_on(kind="graph", file=FIGURE_EIGHT))
        data = build_data(trained.model_copy(update={"test": held_out}), seed=0, updates=1)
        assert isinstance(data.test.source.worlds, RelabelledWorlds)
        assert data.test.source.worlds.actions == RectangularWorlds.actions

    def test_another_file_replaces_the_graph_of_the_run(self, tmp_path: Path) -> None:
        other = tmp_path / "pair.json"
        other.write_text(
            '{"places": [{"name": "a", "position": [0, 0]}, {"name": "b", "position": [1, 0]}],'
            '"links": [{"from": "a", "action": "right", "to": "b"},'
            '{"from": "b", "action": "left", "to": "a"}]}'
        )
        trained = composed("data=graph", f"data.world.file={FIGURE_EIGHT}").data
        held_out = override_held_out(trained, evaluated_on(file=other))
        assert held_out.world.actions == ("stay", "right", "left")

    def test_actions_that_the_model_does_not_know_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"data.world: these worlds have the actions clockwise"):
            override_held_out(composed().data, evaluated_on(kind="ring", places=5))

    def test_a_key_of_another_kind_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="radius"):
            override_held_out(composed().data, evaluated_on(radius=3))


def test_every_kind_builds_its_source() -> None:
    kinds = {
        "lattice": RectangularWorlds,
        "hexagonal": HexagonalWorlds,
        "ring": RingWorlds,
        "obstructed": ObstructedWorlds,
    }
    for name, source in kinds.items():
        assert isinstance(build_data(composed(f"data={name}").data, seed=0, updates=1).train.worlds, source)
