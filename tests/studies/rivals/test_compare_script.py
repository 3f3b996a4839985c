"""scripts/compare.py as a user types it."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF
from tem_vae.errors import ConfigurationError
from tem_vae.studies.rivals import compare as comparison
from tem_vae.studies.rivals.agents import AgentRival
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.compare import read_results, run_jobs
from tem_vae.studies.rivals.config import AGENTS, MODELS, ON_A_RECIPE, CompareConfig
from tem_vae.studies.rivals.contract import Trial
from tem_vae.studies.rivals.job import Job, Result, read
from tem_vae.studies.rivals.pages import render, write_pages
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


def test_a_job_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The whole of it as a user types it, with a model that nothing is trained of."""
    arguments = ("task=digits", "models=majority", "seeds=[1]", "budget=0.2", "out=out")
    done = compare(tmp_path, *arguments, f"overrides=[{SHORT}]")
    assert done.returncode == 0, done.stderr
    written = json.loads((tmp_path / "out" / "results" / "digits" / "majority-1.json").read_text())
    assert written["job"]["seed"] == 1
    page = (tmp_path / "out" / "digits.md").read_text()
    assert page in done.stdout
    assert "| majority so far | 1 | " in page
    assert "| TEM | 0 | not run | not run |" in page


def in_this_process(function: Callable[..., Result], path: Path, job: Job, *arguments: object) -> Result:
    """A job without a process, which takes seconds to load torch."""
    trials = [Trial(*argument) if isinstance(argument, tuple) else argument for argument in arguments]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(function(job, *trials)))
    return read(path)


@pytest.fixture
def asked(tmp_path: Path) -> CompareConfig:
    """A model that searches, for a moment."""
    return CompareConfig(
        task="digits",
        models=["lstm"],
        seeds=[0],
        budget=0.2,
        search=0.2,
        overrides=[override for override in SHORT_RUN if not override.startswith("logger")],
        out=tmp_path / "out",
        threads=1,
    )


def test_a_comparison_is_done_once(asked: CompareConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "in_its_own_process", in_this_process)
    run_jobs(asked)
    results = asked.out / "results" / "digits"
    assert sorted(path.name for path in results.glob("*.json")) == ["lstm-0.json", "lstm-search.json"]
    written = json.loads((results / "lstm-0.json").read_text())
    tried = json.loads((results / "lstm-search.json").read_text())
    assert len(tried["tried"]) == len(RIVALS["lstm"].trials)
    assert written["trial"]["size"] == tried["tried"][tried["best"]]["size"]
    assert written["training"]["seconds"] < 2
    assert written["curve"]
    page = write_pages(asked.out, "digits")
    assert page == (asked.out / "digits.md").read_text()
    assert "| LSTM | 1 | " in page
    assert "task=digits models=all budget=0.2 search=0.2" in page
    assert f"**rate {written['trial']['learning_rate']:g}, width {written['trial']['size']}: " in page
    with (asked.out / "digits.csv").open() as file:
        rows = list(csv.DictReader(file))
    by_score = {row["score"]: float(row["mean"]) for row in rows if row["model"] == "lstm"}
    assert by_score["revisit"] == written["tests"]["1,000 steps"]["revisit"]
    assert {path.name for path in asked.out.glob("*.png")} == {"digits.png", "accuracy.png"}

    # A marked result stays: its job is not done again.
    def refuse(*arguments: object) -> Result:
        raise AssertionError(f"done again: {arguments}")

    monkeypatch.setattr(comparison, "in_its_own_process", refuse)
    written["tests"]["1,000 steps"]["revisit"] = 0.123
    (results / "lstm-0.json").write_text(json.dumps(written))
    run_jobs(asked)
    assert "12.3" in write_pages(asked.out, "digits")

    with pytest.raises(ConfigurationError, match=r"budget = 0\.2, and 3\.0 is asked for; name another out"):
        run_jobs(asked.model_copy(update={"budget": 3.0}))


def test_what_is_wrong_with_overrides_is_said_before_the_first_job() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean world\?"):
        Job("digits", "lstm", 0, 1.0, ("data.worlds=3",)).compose()


def test_names_are_those_of_the_catalogue() -> None:
    assert tuple(RIVALS) == MODELS
    assert tuple(name for name, rival in RIVALS.items() if rival.own_walks) == ON_A_RECIPE
    assert tuple(name for name, rival in RIVALS.items() if isinstance(rival, AgentRival)) == AGENTS


@pytest.mark.parametrize("task", TASKS)
def test_a_task_without_results_has_a_page_that_says_so(task: str, tmp_path: Path) -> None:
    page = render(task, list(read_results(tmp_path, task)), {})
    assert page.count("not run") > len(MODELS)
    assert f"task={task} models=all" in page
    for entry in TASKS[task].published:
        assert f"{entry.revisit} [" in page
