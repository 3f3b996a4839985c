"""Classes of the user's own: what is allowed, what is refused, and with which words."""

import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf
from own_package import CORRIDORS, OWN_RUN, compose_own_run, example_of_the_page, importable, own_package

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.simulated import SimulatedConfig
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError

Changes = Mapping[str, Any]
PERCEPTS_KEY = "data.percepts.target"


@pytest.fixture(autouse=True)
def package(tmp_path: Path) -> Iterator[None]:
    with own_package(tmp_path):
        yield


@cache
def composed() -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", list(OWN_RUN))


def changed(changes: Changes) -> TrainConfig:
    """The configuration of a short run on sources of the user's own, with changes by key."""
    config = composed().copy()
    for key, value in changes.items():
        OmegaConf.update(config, key, value, force_add=True)
    return validate(config, TrainConfig, list(changes))


def refusal(changes: Changes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        changed(changes)
    return str(caught.value)


def test_sources_are_made_with_their_arguments() -> None:
    overrides = "data.percepts.arguments={noise: 0.0}", "data.world.arguments={length: 9}"
    data = compose_own_run(*overrides).data
    assert isinstance(data, SimulatedConfig)
    drawn = data.percepts.build().sample(np.array([0, 7]), "train", np.random.default_rng(0))
    assert drawn.tolist() == [[-1, -1, -1], [1, 1, 1]]
    assert data.actions == ("stay", "ahead", "back")
    assert data.world.build().sample(2, np.random.default_rng(0)).sizes.tolist() == [9, 9]
    assert data.test.world.build().sample(1, np.random.default_rng(0)).sizes.tolist() == [9]


@pytest.mark.parametrize("roots", [[], ["numpy"], ["my"], ["my_package_"]])
def test_a_package_that_is_not_allowed_is_not_imported(roots: list[str]) -> None:
    told = refusal({"plugins": roots})
    assert "my_package.worlds:Corridors is code of the package my_package" in told
    assert "look at it yourself, then say plugins=[my_package]" in told
    assert "my_package" not in sys.modules


def test_what_is_stored_allows_nothing() -> None:
    stored = changed({}).model_dump(mode="json")
    assert stored["plugins"] == ["my_package"]
    with pytest.raises(ValueError, match="imported only if you allow it"):
        TrainConfig.model_validate(stored)
    TrainConfig.model_validate(stored, context={"plugins": ["my_package"]})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({PERCEPTS_KEY: "my_package.perceps:Colours"}, "there is no module my_package.perceps; "),
        (
            {PERCEPTS_KEY: "no_such_package:Colours", "plugins": ["my_package", "no_such_package"]},
            "there is no module no_such_package; install its package, or say where it lies: PYTHONPATH=",
        ),
        ({PERCEPTS_KEY: "my_package.percepts:Colors"}, "my_package.percepts has no class Colors"),
        ({PERCEPTS_KEY: "my_package.percepts:np"}, "my_package.percepts has no class np"),
        (
            {PERCEPTS_KEY: "my_package.percepts:References"},
            "is a class of tem_vae.data.source, and must be one of my_package itself",
        ),
        (
            {PERCEPTS_KEY: "my_package.worlds:Corridors"},
            "my_package.worlds:Corridors is no PerceptSource: it has no references",
        ),
        (
            {"data.world.target": "my_package.percepts:Colours"},
            "my_package.percepts:Colours is no WorldSource: it has no actions",
        ),
        ({"data.percepts.arguments": {"nose": 1}}, "got an unexpected keyword argument 'nose'"),
        ({"data.world.arguments": {"length": "x"}}, "Corridors cannot be made with these arguments: "),
        ({"data.percepts.arguments": [1]}, "data.percepts.arguments = [1]: must be a valid dictionary"),
        ({PERCEPTS_KEY: "my_package.percepts"}, "must be module:Class, such as"),
        ({PERCEPTS_KEY: "os;x:Colours"}, "must be module:Class, such as"),
        ({"plugins": ["my_package.percepts"]}, "must be names of packages"),
        ({"plugins": "my_package"}, "plugins = my_package: must be a valid list"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(changes: Changes, told: str) -> None:
    assert told in refusal(changes)


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        ("(3,), 8", "3, 8", "percept_shape must be 1 to 3 whole numbers, such as (3,), and is 3"),
        ("(3,), 8", "(3,), 1", "n_classes must be a whole number of at least 2, and is 1"),
        ("8, None", "8, (2, 2)", "image_shape must be None, or rows and columns of 3 pixels, and is (2, 2)"),
        (
            "None, None",
            "None, np.eye(2)",
            "relevant_basis must be None, or of shape (3, dim), and has (2, 2)",
        ),
        ("np.float32(self.noise)", "self.colours.astype(float)[0]", "must be float32 of shape (1, 2, 3)"),
        ("np.float32(self.noise)", "np.float32(np.inf)", "what sample draws of train must be finite"),
        (
            "rng.standard_normal((*classes.shape, 3), np.float32)",
            "np.float32(np.random.rand())",
            "must be a function of rng alone",
        ),
        ("np.arange(8)", "np.arange(1, 9)", "classes of references must be whole numbers from 0 to 7"),
        ("return self.colours[", "return self.colors[", "AttributeError: 'Colours' object has no attribute"),
        ("import itertools", "import itertools\n1 / 0", "importing my_package.percepts failed: ZeroDivision"),
        (
            "import itertools",
            "raise SystemExit('bye')",
            "importing my_package.percepts failed: SystemExit: bye",
        ),
        ("import itertools", "import itertols", "importing my_package.percepts failed: ModuleNotFoundError"),
    ],
)
def test_percepts_that_would_fail_later_are_refused(
    text: str, instead: str, told: str, tmp_path: Path
) -> None:
    module = example_of_the_page()
    assert text in module
    (tmp_path / "my_package" / "percepts.py").write_text(module.replace(text, instead))
    message = refusal({})
    assert told in message
    assert message.startswith("The configuration has 1 problem:\n  data.percepts: ")
    assert len(message.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "instead", "told"),
    [
        ('"stay", "ahead"', '"ahead", "stay"', "actions must begin with stay, and are ahead, stay, back"),
        ('"ahead", "back"', '"back", "back"', "actions must be at least two names, all different"),
        ("Worlds.stack([self.world] * batch)", "self.world", "sample must give Worlds, and gives World"),
        (
            "* batch",
            "* 3",
            "sizes must be whole numbers from 1 to 6 of shape (2,), and are int64 of shape (3,)",
        ),
        (
            "links == length",
            "links == 99",
            "destinations must be whole numbers from -1 to 5 of shape (2, 6, 3)",
        ),
        ("[places, places + 1", "[places[::-1], places + 1", "the action stay must lead from every place to"),
        ("0.0 * places]", "np.inf + places]", "layout must be finite"),
    ],
)
def test_worlds_that_would_fail_later_are_refused(text: str, instead: str, told: str, tmp_path: Path) -> None:
    assert text in CORRIDORS
    (tmp_path / "my_package" / "worlds.py").write_text(CORRIDORS.replace(text, instead))
    message = refusal({})
    assert told in message
    assert len(message.splitlines()) == 2  # said once, of worlds of training, validation and test


def test_a_class_that_has_not_the_methods_is_not_made(tmp_path: Path) -> None:
    """Whatever it would do with arguments that a stranger gave."""
    module = "class Anything:\n    def __init__(self, path):\n        open(path, 'w')\n"
    with importable(tmp_path, {"another.things": module}):
        told = refusal(
            {
                PERCEPTS_KEY: "another.things:Anything",
                "data.percepts.arguments": {"path": str(tmp_path / "planted")},
                "plugins": ["my_package", "another"],
            }
        )
    assert "another.things:Anything is no PerceptSource: it has no sample, references" in told
    assert not (tmp_path / "planted").exists()
