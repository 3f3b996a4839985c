"""Every YAML file in conf/ composes and passes every check."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from own_package import PERCEPTS, WORLDS, own_package
from recorded_walks import OF_EXPERIMENTS, recorded

from tem_vae.config.command_line import CONF
from tem_vae.config.defaults import groups
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError

GROUPS = [group for group in groups() if group not in ("experiment", "sweep")]

_NOT_FOR_LATTICES = {
    "linear": "needs real-valued actions, and those of the data are 5 numbered ones; use .*kind=rotations",
    "convolutional": r"needs images of 8 pixels.*have the shape \(64,\); use model\.[a-z]+coder\.kind=mlp",
}


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def experiments() -> list[str]:
    folder = CONF / "experiment"
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))


def composed(overrides: list[str]) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=overrides), TrainConfig)


@pytest.mark.parametrize(
    ("group", "choice"), [(group, choice) for group in GROUPS for choice in choices(group)]
)
def test_every_choice_of_a_group_is_a_valid_run(group: str, choice: str, tmp_path: Path) -> None:
    fitting = {
        "identity": ["model.code_dim=64"],  # a percept of digits has 64 features
        "plugin": [
            "plugins=[my_package]",
            f"data.world.target={WORLDS}" if group == "data" else f"data.percepts.target={PERCEPTS}",
        ],
        "walks": [f"data.path={recorded(tmp_path / 'walks.h5')}"],
    }
    if choice in _NOT_FOR_LATTICES:
        with pytest.raises(ConfigurationError, match=_NOT_FOR_LATTICES[choice]):
            composed([f"{group}={choice}"])
        return
    with own_package(tmp_path) if choice == "plugin" else nullcontext():
        composed([f"{group}={choice}", *fitting.get(choice, [])])


@pytest.mark.parametrize("experiment", experiments())
def test_every_experiment_is_a_valid_run(experiment: str, tmp_path: Path) -> None:
    made = OF_EXPERIMENTS.get(experiment)
    walks = [f"data.path={made(tmp_path / 'walks.h5')}"] if made else []
    composed([f"experiment={experiment}", *walks])


def test_every_yaml_file_is_under_a_test() -> None:
    known = {
        CONF / f"{name}.yaml"
        for name in ("train", "evaluate", "compare", "doubts", "record_walks", "rat_walks", "park_walk")
    }
    known |= {CONF / group / f"{choice}.yaml" for group in GROUPS for choice in choices(group)}
    known |= {CONF / "experiment" / f"{name}.yaml" for name in experiments()}
    others = {path for path in CONF.rglob("*.yaml") if path not in known}
    assert {path.relative_to(CONF).parts[0] for path in others} <= {"sweep", "hydra"}


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONF)))
def test_every_yaml_file_is_readable_on_its_own(path: Path) -> None:
    assert OmegaConf.load(path)


def texts_that_are_numbers(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in inner:
            yield from texts_that_are_numbers(part, f"{key}.{name}")
    elif isinstance(value, str):
        with suppress(ValueError):
            float(value)
            yield key.removeprefix(".")


def test_a_number_without_a_point_is_a_text_in_yaml() -> None:
    values = yaml.safe_load("a: {b: 1e-3, c: 1.0e-3}\nd: [2, 3e-3, x]")
    assert list(texts_that_are_numbers(values)) == ["a.b", "d.1"]


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda path: str(path.relative_to(CONF)))
def test_every_number_is_one_to_any_reader_of_yaml(path: Path) -> None:
    assert list(texts_that_are_numbers(yaml.safe_load(path.read_text(encoding="utf-8")))) == []
