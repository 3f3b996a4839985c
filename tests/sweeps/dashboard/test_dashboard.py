"""Every panel shows something that a real run logs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sweeps import REPOSITORY, TINY

from tem_vae.sweeps.dashboard.panels import EXPLAINED, RESULTS, SECTIONS, SWEPT
from tem_vae.training.wandb_run import UPDATES

LEET = [str(Path(sys.executable).with_name("wandb")), "leet", "inspect", "--json"]
PANELS = [panel for panels in SECTIONS.values() for panel in panels]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The folder of a short offline run."""
    folder = tmp_path_factory.mktemp("run")
    arguments = [argument for argument in TINY if argument != "logger=none"]
    arguments += ["logger=wandb", "trainer.log_every_n_steps=1", "data.test.walk_length=200"]
    arguments += ["data.validation.walk_length=400", "data.validation.walks=2"]
    command = [sys.executable, "scripts/train.py", f"run_dir={folder}", *arguments]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return next(folder.glob("wandb/offline-run-*"))


@pytest.fixture(scope="module")
def summary(run) -> dict[str, Any]:
    """What wandb will show of the run."""
    shown = subprocess.run([*LEET, "--summary", str(run)], check=True, capture_output=True)
    return json.loads(shown.stdout)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_every_panel_shows_what_is_logged(panel, summary):
    logged = summary["summary"].keys()
    assert set(panel.keys) <= logged
    assert bool(panel.keys) != bool(panel.regex)
    if panel.regex:
        assert any(re.fullmatch(panel.regex, name) for name in logged)


def test_every_scalar_of_a_section_has_a_panel(summary):
    shown = {key for panel in PANELS for key in panel.keys}
    expressions = [panel.regex for panel in PANELS if panel.regex]
    unseen = [
        name
        for name in summary["summary"]
        if name.partition("/")[0] in SECTIONS
        and name not in shown
        and not any(re.fullmatch(expression, name) for expression in expressions)
    ]
    assert unseen == ["prediction/reconstruction_zero_shot_accuracy", "prediction/zero_shot_moves"]


def test_sweep_panels_relate_results_to_configuration(summary):
    for key in SWEPT:
        value = summary["config"]
        for part in key.split("."):
            value = value[part]
        assert isinstance(value, int | float)
    assert {*RESULTS, EXPLAINED} <= summary["summary"].keys()


def test_summaries_keep_least_greatest_and_last(summary):
    for section in SECTIONS:
        found = {n: v for n, v in summary["summary"].items() if n.startswith(f"{section}/")}
        assert found
        assert all(set(value) == {"min", "max", "last"} for value in found.values()), section


def test_the_axis_is_updates(run):
    inspected = subprocess.run([*LEET, str(run)], check=True, capture_output=True, text=True).stdout
    metrics = [json.loads(line)["metric"] for line in inspected.splitlines() if '"type":"metric"' in line]
    axes = {m["glob_name"]: m["step_metric"] for m in metrics if "glob_name" in m}
    assert set(axes.values()) == {UPDATES}
    assert {f"{section}/*" for section in SECTIONS} <= axes.keys()


def test_the_dashboard_is_written_without_a_network(tmp_path):
    pytest.importorskip("wandb_workspaces")
    file = tmp_path / "dashboard.json"
    command = [sys.executable, "scripts/wandb_dashboard.py", "--json", str(file)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    text = file.read_text()
    assert all(json.dumps(key)[1:-1] in text for panel in PANELS for key in panel.keys)
    assert "Parallel Coordinates" in text
    assert "Parameter Importance" in text
