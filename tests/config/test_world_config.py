"""Worlds as a configuration describes them, in training and in evaluation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from pydantic import ValidationError

from tem_vae.config.changes import all_null
from tem_vae.config.command_line import CONF
from tem_vae.config.evaluation import EvaluationDataConfig
from tem_vae.config.problems import validate
from tem_vae.config.simulated import SimulatedConfig
from tem_vae.config.training import TrainConfig
from tem_vae.config.worlds import RunsPolicyConfig
from tem_vae.data import (
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RelabelledWorlds,
    RingWorlds,
    TorusWorlds,
)
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.walk_plan import check_same, plan_walks
from tem_vae.training.datamodule import build_data

ROOT = Path(__file__).parents[2]
FIGURE_EIGHT = ROOT / "examples" / "worlds" / "figure_eight.json"
UNCHANGED = all_null(EvaluationDataConfig)


def composed(*overrides: str) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=list(overrides)), TrainConfig)


def evaluated_on(
    percepts: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **world: Any
) -> EvaluationDataConfig:
    sections = {
        "world": UNCHANGED["world"] | world,
        "percepts": UNCHANGED["percepts"] | (percepts or {}),
        "policy": UNCHANGED["policy"] | (policy or {}),
    }
    return EvaluationDataConfig.model_validate(UNCHANGED | sections)


@pytest.mark.parametrize("name", ["lattice", "torus", "hexagonal", "ring", "obstructed"])
def test_every_kind_of_world_yields_walks_for_training_validation_and_test(name: str) -> None:
    config = composed(f"data={name}")
    data = build_data(config.data, seed=0, updates=1)
    for source in (data.train, data.validation.source, data.test.source):
        walks = source.sample(np.random.default_rng(0))
        assert int(walks.actions.max()) < len(config.data.world.actions)


def test_a_graph_whose_links_contradict_each_other_is_doubted(tmp_path: Path) -> None:
    names = ("eve", "cain", "abel")
    links = [
        ("eve", "first", "cain"),
        ("eve", "second", "abel"),
        ("cain", "up", "eve"),
        ("abel", "up", "eve"),
    ]
    family = {
        "places": [{"name": name, "position": [n, 0]} for n, name in enumerate(names)],
        "links": [{"from": start, "action": action, "to": end} for start, action, end in links],
    }
    (tmp_path / "family.json").write_text(json.dumps(family))
    (doubt,) = composed("data=graph", f"data.world.file={tmp_path / 'family.json'}").data.doubts()
    assert '"first" from "eve" to "cain" and "second" from "eve" to "abel" contradict each other' in doubt
    for given in (["data=graph", f"data.world.file={FIGURE_EIGHT}"], []):
        assert composed(*given).data.doubts() == []


def test_a_graph_is_read_once_and_kept(tmp_path: Path) -> None:
    copy = tmp_path / "mine.json"
    copy.write_text(FIGURE_EIGHT.read_text())
    config = composed("data=graph", f"data.world.file={copy}")
    copy.unlink()
    again = TrainConfig.model_validate(config.model_dump(mode="json"))
    assert again == config
    assert again.data.test.world.actions == ("stay", "up", "right", "left", "down")


def test_a_stored_configuration_opens_no_file(tmp_path: Path) -> None:
    values = composed("data=graph", f"data.world.file={FIGURE_EIGHT}").model_dump(mode="json")
    values["data"]["test"]["world"] |= {"graph": None}
    with pytest.raises(ValidationError, match="graph"):
        TrainConfig.model_validate(values)


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
    with pytest.raises(ConfigurationError, match="places = 2: must be a whole number >= 3"):
        composed("data=ring", "data.world.places=2")


def test_tests_with_actions_that_training_lacks_are_refused() -> None:
    values = composed().data.model_dump(mode="json")
    values["test"]["world"] = {"kind": "hexagonal", "radius": 2}
    with pytest.raises(ConfigurationError, match=r"test.world: .*the actions east, northeast"):
        validate(values, SimulatedConfig)


class TestEvaluation:
    def test_null_keeps_what_the_run_was_tested_on(self) -> None:
        trained = composed().data
        plan = plan_walks(trained, evaluated_on())
        assert plan.model_dump() == trained.test.model_dump() | {
            "percepts": trained.percepts.model_dump(),
            "policy": trained.policy.model_dump(),
            "blank": trained.blank,
            "slips": trained.slips,
        }

    def test_a_size_alone_keeps_the_kind(self) -> None:
        held_out = plan_walks(composed().data, evaluated_on(height=20))
        assert held_out.world.model_dump() == {"kind": "rectangular", "height": (20, 20), "width": (8, 8)}

    def test_another_kind_with_the_same_actions(self) -> None:
        world = {"kind": "obstructed", "height": 9, "width": 9, "obstacles": 0.1, "walls": 0.2}
        held_out = plan_walks(composed().data, evaluated_on(**world))
        assert held_out.world.kind == "obstructed"

    def test_a_graph_whose_actions_are_in_another_order(self) -> None:
        trained = composed().data
        held_out = plan_walks(trained, evaluated_on(kind="graph", file=FIGURE_EIGHT))
        test = trained.test.model_copy(update={"world": held_out.world})
        data = build_data(trained.model_copy(update={"test": test}), seed=0, updates=1)
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
        held_out = plan_walks(trained, evaluated_on(file=other))
        assert held_out.world.actions == ("stay", "right", "left")

    def test_actions_that_the_model_does_not_know_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"data.world: these worlds have the actions clockwise"):
            plan_walks(composed().data, evaluated_on(kind="ring", places=5))

    def test_a_walker_that_turns_more_often(self) -> None:
        plan = plan_walks(composed().data, evaluated_on(policy={"momentum": 0.1}))
        assert plan.policy.model_dump() == {"kind": "momentum", "momentum": 0.1}

    def test_a_walker_of_another_kind(self) -> None:
        runs = {"kind": "runs", "lengths": [2, 3], "distribution": "uniform"}
        assert plan_walks(composed().data, evaluated_on(policy=runs)).policy == RunsPolicyConfig(**runs)

    def test_a_key_of_another_kind_of_walker_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="kind = momentum has no lengths, only runs"):
            plan_walks(composed().data, evaluated_on(policy={"lengths": [2, 3]}))

    def test_another_percept_source_with_as_many_features(self) -> None:
        symbols = {"source": "symbols", "seed": 0, "classes": 7, "dim": 64, "relevant_dim": 3}
        plan = plan_walks(composed().data, evaluated_on(percepts=symbols))
        assert plan.percepts.model_dump() == symbols

    def test_fewer_symbols_keep_the_other_values(self) -> None:
        trained = composed("data/percepts=symbols").data
        plan = plan_walks(trained, evaluated_on(percepts={"classes": 7}))
        assert plan.percepts.model_dump() == trained.percepts.model_dump() | {"classes": 7}

    def test_percepts_with_other_features_are_refused(self) -> None:
        symbols = {"source": "symbols", "seed": 0, "classes": 7, "dim": 10, "relevant_dim": 3}
        with pytest.raises(ConfigurationError, match=r"symbols has the shape \(10,\), .* \(64,\)"):
            plan_walks(composed().data, evaluated_on(percepts=symbols))

    def test_another_split_of_the_images_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="digits that the run was trained on"):
            plan_walks(composed().data, evaluated_on(percepts={"seed": 1}))

    def test_another_split_of_the_wordings_is_refused(self) -> None:
        trained = composed("experiment=sentences").data
        with pytest.raises(ConfigurationError, match="sentences that the run was trained on"):
            plan_walks(trained, evaluated_on(percepts={"seed": 1}))

    def test_sentences_without_what_embeds_them_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tem_vae.config.percepts.find_spec", lambda name: None)
        with pytest.raises(ConfigurationError, match=r"wordllama, .* pip install 'tem_vae\[text\]'"):
            composed("experiment=sentences")

    def test_a_source_without_its_values_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"percepts.classes: must be given"):
            plan_walks(composed().data, evaluated_on(percepts={"source": "symbols"}))

    def test_models_are_compared_on_the_same_walks(self) -> None:
        plan = plan_walks(composed().data, evaluated_on())
        check_same({"a": plan, "b": plan})
        longer = plan.model_copy(update={"walk_length": 7})
        with pytest.raises(ConfigurationError, match=r"data.walk_length: 1000 in a, 7 in b"):
            check_same({"a": plan, "b": longer})

    def test_a_key_of_another_kind_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="radius"):
            plan_walks(composed().data, evaluated_on(radius=3))


def test_every_kind_builds_its_source() -> None:
    kinds = {
        "lattice": RectangularWorlds,
        "torus": TorusWorlds,
        "hexagonal": HexagonalWorlds,
        "ring": RingWorlds,
        "obstructed": ObstructedWorlds,
    }
    for name, source in kinds.items():
        assert isinstance(build_data(composed(f"data={name}").data, seed=0, updates=1).train.worlds, source)
