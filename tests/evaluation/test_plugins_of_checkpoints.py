"""A checkpoint that names classes of its user's own: opened by whoever allows it, and by nobody else."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from composed import compose_evaluation, compose_short_run
from own_package import compose_own_run, importable, own_package
from refusals import Malformed, refuse

from tem_vae.config.resume import continued_config
from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.evaluation.run import evaluate
from tem_vae.evaluation.trained import load_run
from tem_vae.runs.checkpoint import CONFIG_KEY
from tem_vae.training.run import train

OWN = ["my_package"]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on percepts and worlds of ``my_package``, which is importable no more."""
    folder = tmp_path_factory.mktemp("own")
    with own_package(folder):
        config = compose_own_run(f"run_dir={folder / 'run'}", "trainer.max_steps=2")
        train(config, folder / "run")
    return folder / "run"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[None]:
    with own_package(tmp_path):
        yield


@pytest.mark.usefixtures("package")
def test_it_opens_for_whoever_allows_its_package(run_dir: Path) -> None:
    run = load_run(run_dir, plugins=OWN)
    assert type(run.percepts).__module__ == "my_package.percepts"
    assert run.actions == ("stay", "ahead", "back")
    assert run.config.plugins == OWN


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("plugins", [(), ("my",), ("tem_vae", "numpy")])
def test_it_imports_nothing_for_others(run_dir: Path, plugins: tuple[str, ...]) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_run(run_dir, plugins)
    assert "my_package.worlds:Corridors is code of the package my_package" in str(caught.value)
    assert str(caught.value).startswith(str(run_dir / "checkpoints" / "best.ckpt"))
    assert len(str(caught.value).splitlines()) == 1
    assert "my_package" not in sys.modules


def test_where_the_package_is_missing_this_is_said(run_dir: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no module my_package; install its package"):
        load_run(run_dir, plugins=OWN)


@pytest.mark.usefixtures("package")
def test_an_evaluation_gives_other_arguments(run_dir: Path, tmp_path: Path) -> None:
    overrides = (f"checkpoint={run_dir}", "plugins=[my_package]", "data.world.arguments={length: 4}")
    first, second = (evaluate(compose_evaluation(*overrides), tmp_path / name) for name in ("a", "b"))
    assert list(first.values()) == list(second.values())
    (metrics,) = first.values()
    assert metrics["test/elbo"] is not None
    wrong = compose_evaluation(*overrides[:2], "data.world.arguments={len: 4}")
    with pytest.raises(ConfigurationError, match="'len'"):
        evaluate(wrong, tmp_path / "c")


@pytest.mark.usefixtures("package")
def test_a_run_continues_only_if_its_package_is_allowed_again(run_dir: Path) -> None:
    resume = (f"run_dir={run_dir}", "resume=true")
    with pytest.raises(ConfigurationError, match=r"say plugins=\[my_package\]"):
        continued_config(compose_short_run(*resume), resume)
    again = (*resume, "plugins=[my_package]")
    assert continued_config(compose_short_run(*again), again).trainer.max_steps == 2


def test_a_malicious_name_is_imported_by_nobody_who_did_not_allow_it(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    planted = tmp_path / "planted"
    contents = torch.load(run_dir / "checkpoints" / "best.ckpt", weights_only=True)
    contents[CONFIG_KEY]["plugins"] = ["malicious"]
    contents[CONFIG_KEY]["data"]["percepts"]["target"] = "malicious.module:Anything"
    contents[CONFIG_KEY]["data"]["world"] = {"kind": "ring", "places": [5, 5]}
    for name in ("validation", "test"):
        contents[CONFIG_KEY]["data"][name]["world"] = {"kind": "ring", "places": [5, 5]}
    file = tmp_path / "stranger.ckpt"
    torch.save(contents, file)
    with importable(tmp_path, {"malicious.module": f"open({str(planted)!r}, 'w')"}):
        for plugins in ((), OWN):
            with pytest.raises(
                CheckpointError, match="code of the package malicious, which is imported only"
            ):
                load_run(file, plugins)
            assert "malicious" not in sys.modules
        case = Malformed("plugin", "say plugins=[malicious]", (f"checkpoint={file}",), "evaluate.py")
        refused = refuse(case, tmp_path)
        assert refused.faults(case) == []
        assert len(refused.message.splitlines()) == 1
        assert not planted.exists()
        with pytest.raises(CheckpointError, match="has no class Anything"):
            load_run(file, ["malicious"])
        assert planted.exists()  # it would have been noticed
