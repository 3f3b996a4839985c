"""The examples run as they stand, in a process of their own, and print what they promise."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from recorded_walks import lattice_walk

from tem_vae.worlds import read_graph

ROOT = Path(__file__).parents[1]


def run(script: str, *arguments: str) -> str:
    """What the script prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def short_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run too short to have learned anything."""
    folder = tmp_path_factory.mktemp("runs") / "short"
    small = ("data.test.walks=1", "data.test.walk_length=50", "data.validation.walks=1")
    length = ("trainer.max_steps=2", "trainer.val_check_interval=2", "data.validation.walk_length=50")
    run("scripts/train.py", f"run_dir={folder}", "logger=none", *small, *length)
    return folder


def test_predict_your_walk(short_run: Path) -> None:
    lines = run("examples/predict_your_walk.py", str(short_run)).splitlines()
    assert len(lines) == 10
    for line in lines:
        found = re.search(r"novelty ([\d.]+), expects a \d, sees a \d$", line)
        assert found is not None
        assert 0 <= float(found[1]) <= 1


def test_predict_your_walk_without_a_run_says_what_it_needs() -> None:
    script = str(ROOT / "examples/predict_your_walk.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "usage: predict_your_walk.py" in done.stderr
    assert "the following arguments are required: run" in done.stderr


def test_sample_neighborhoods() -> None:
    distances, *densities = run("examples/sample_neighborhoods.py").splitlines()
    # 10,000 samples: the standard error of the root mean square is 0.1 / (2 sqrt(10,000 * 8 / 2)) = 0.00025.
    for distance in re.findall(r"0\.\d+", distances):
        assert float(distance) == pytest.approx(0.1, abs=4 * 0.00025)
    center, near, kernel = (float(line.split()[-2]) for line in densities)
    assert center == kernel
    assert center - near == pytest.approx(
        0.5 * 8 * 2**2, abs=0.2
    )  # slope -M/2 in squared distance over scale


def test_attention_layer() -> None:
    last = run("examples/attention_layer.py").splitlines()[-1]
    accuracy, share = (float(number) for number in re.findall(r"\d\.\d+", last))
    assert accuracy > 0.95
    assert share > 0.8


def test_the_drift_of_a_turned_path_is_that_of_the_turn() -> None:
    specification = importlib.util.spec_from_file_location("drift", ROOT / "examples/measure_drift.py")
    assert specification
    assert specification.loader
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    path = example.path_of(torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]))[0]
    assert path.tolist() == [[0, 0], [1, 0], [2, 0], [2, 1]]
    a_quarter = torch.stack([-path[:, 1], path[:, 0]], dim=1)
    assert example.drift(path, a_quarter) == pytest.approx((np.sqrt((0 + 2 + 8 + 10) / 4), 0), abs=1e-6)
    mirrored = path * torch.tensor([1.0, -1.0])
    assert example.drift(path, mirrored)[1] > 0.1


def blocks(document: str, language: str) -> list[str]:
    """The fenced blocks of a document."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), flags=re.DOTALL)


def test_the_python_page_runs_as_it_stands(
    short_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = [lattice_walk(30, seed) for seed in range(4)]
    namespace: dict[str, Any] = {
        "RUN": short_run,
        "my_percepts": [walk["percepts"] for walk in mine],
        "my_actions": [walk["actions"] for walk in mine],
    }
    for text in blocks("docs/python.md", "python"):
        block = text.replace("max_steps=300", "max_steps=2")
        exec(compile(block, "docs/python.md", "exec"), namespace)
    assert tuple(namespace["z"].shape) == (10, 1, 11, 128)
    assert namespace["percepts"].dtype == torch.float32
    assert namespace["remembered"].shape == namespace["prediction"].novelty.shape == (1, 11)
    assert namespace["expected"].shape == (4, 30, mine[0]["percepts"].shape[1])
    assert namespace["mine"].folder.parent == Path("runs")
    # Turned back, the percepts are the images that were put in.
    shown = namespace["run"].percepts.to_unit_range(namespace["percepts"].numpy())
    np.testing.assert_allclose(shown[0], namespace["grey"], atol=1e-6)


def test_the_world_on_the_worlds_page_is_one(tmp_path: Path) -> None:
    (block,) = blocks("docs/worlds.md", "json")
    file = tmp_path / "world.json"
    file.write_text(block)
    assert read_graph(file).actions == ("stay", "on", "back")


def test_the_readme_runs_as_it_stands_after_the_commands_above_it(
    short_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = blocks("README.md", "python")
    (run_dir,) = re.findall(r'load\("(.+?)"\)', block)
    assert f"train.py run_dir={run_dir}\n" in readme.partition(block)[0]
    (tmp_path / run_dir).parent.mkdir()
    (tmp_path / run_dir).symlink_to(short_run)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), namespace)
    assert tuple(namespace["prediction"].percepts.shape) == tuple(namespace["percepts"].shape)


def test_the_classifier_is_as_good_as_the_pages_say() -> None:
    (block,) = blocks("docs/metrics.md", "python")
    namespace: dict[str, Any] = {}
    exec(compile(block, "docs/metrics.md", "exec"), namespace)
    said = f"{100 * namespace['accuracy']:.1f} %"
    for page in ("README.md", "docs/metrics.md"):
        words = " ".join((ROOT / page).read_text(encoding="utf-8").split())
        assert "Of real test images" in words
        assert f"names {said} right" in words
