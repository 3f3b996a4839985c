"""scripts/compare.py as a user types it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF
from tem_vae.errors import ConfigurationError
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.compare import read_results, run_jobs
from tem_vae.studies.rivals.config import MODELS, ON_A_RECIPE, CompareConfig
from tem_vae.studies.rivals.job import Job
from tem_vae.studies.rivals.pages import render
from tem_vae.studies.rivals.tasks import TASKS

SHORT = ",".join(f"'{override}'" for override in SHORT_RUN if not override.startswith("logger"))


def compare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CONF.parent / "scripts" / "compare.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["task=maze"], "task = maze: must be one of digits, torus, torus_slips, minigrid, rat"),
        (["task=digits", "models=[lstm,gru]"], "gru: must be all, or some of tem_vae,"),
        (["task=rat"], "needs recorded walks; make them with `python scripts/make_rat_walks.py"),
        (["task=digits", "budget=0"], "budget = 0: must be greater than 0"),
    ],
)
def test_what_is_wrong_is_said_at_once(tmp_path: Path, arguments: list[str], named: str) -> None:
    refused = compare(tmp_path, *arguments)
    assert refused.returncode == 2
    assert named in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "docs").exists()


def test_a_comparison_is_done_once(tmp_path: Path) -> None:
    arguments = ("task=digits", "seeds=[0]", "budget=0.2", "search=0.2", "out=out", f"overrides=[{SHORT}]")
    first = compare(tmp_path, *arguments, "models=lstm")
    assert first.returncode == 0, first.stderr
    results = tmp_path / "out" / "results" / "digits"
    assert sorted(path.name for path in results.iterdir()) == ["lstm-0.json", "lstm-search.json"]
    written = json.loads((results / "lstm-0.json").read_text())
    tried = json.loads((results / "lstm-search.json").read_text())
    assert len(tried["tried"]) == len(RIVALS["lstm"].trials)
    assert written["trial"]["size"] == tried["tried"][tried["best"]]["size"]
    assert written["training"]["seconds"] < 2
    assert written["curve"]
    page = (tmp_path / "out" / "digits.md").read_text()
    assert page in first.stdout
    assert "| LSTM | 1 | " in page
    assert "| TEM | 0 | not run | not run |" in page
    with (tmp_path / "out" / "digits.csv").open() as file:
        rows = list(csv.DictReader(file))
    by_score = {row["score"]: float(row["mean"]) for row in rows if row["model"] == "lstm"}
    assert by_score["revisit"] == written["tests"]["1,000 steps"]["revisit"]
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"digits.png", "accuracy.png"}

    # A marked result stays: its job is not done again.
    written["tests"]["1,000 steps"]["revisit"] = 0.123
    (results / "lstm-0.json").write_text(json.dumps(written))
    again = compare(tmp_path, *arguments, "models=lstm")
    assert again.returncode == 0, again.stderr
    assert "job 1" not in again.stdout + again.stderr
    assert "12.3" in (tmp_path / "out" / "digits.md").read_text()

    asked = CompareConfig(
        task="digits",
        models=["lstm"],
        seeds=[0],
        budget=3.0,
        search=0.2,
        overrides=[],
        out=tmp_path / "out",
        threads=1,
    )
    with pytest.raises(ConfigurationError, match=r"budget = 0\.2, and 3\.0 is asked for; name another out"):
        run_jobs(asked)


def test_what_is_wrong_with_overrides_is_said_before_the_first_job() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean world\?"):
        Job("digits", "lstm", 0, 1.0, ("data.worlds=3",)).compose()


def test_names_are_those_of_the_catalogue() -> None:
    assert tuple(RIVALS) == MODELS
    assert tuple(name for name, rival in RIVALS.items() if rival.own_walks) == ON_A_RECIPE


@pytest.mark.parametrize("task", TASKS)
def test_a_task_without_results_has_a_page_that_says_so(task: str, tmp_path: Path) -> None:
    page = render(task, list(read_results(tmp_path, task)), {})
    assert page.count("not run") > len(MODELS)
    assert f"task={task} models=all" in page
    for entry in TASKS[task].published:
        assert f"{entry.revisit} [" in page
