import csv
import json
import statistics

import numpy as np
import pytest
from scipy import stats
from sweeps import write_job

from tem_vae.runs.folder import RunFolder
from tem_vae.sweeps.callback import SweepCallback
from tem_vae.sweeps.jobs import read_jobs
from tem_vae.sweeps.summary import reproducing_command, summarize
from tem_vae.sweeps.table import best_row, estimate, tabulate, varied_keys


@pytest.fixture
def sweep(tmp_path):
    """Two ranks with two seeds each, two failures."""
    values = iter((0.5, 0.7, 0.9, 0.8))
    for number, (rank, seed) in enumerate([(16, 0), (16, 1), (4, 0), (4, 1)]):
        metrics = {"test/zero_shot_accuracy": next(values), "test/elbo": -80.0 + rank, "test/iwae": None}
        overrides = {"model.metric.rank": rank, "seed": seed, "trainer.max_steps": 10, "resume": "true"}
        write_job(tmp_path, number, overrides, metrics, ((-90.0, 0.1 * rank), (-95.0, 7.0)))
    failed = write_job(tmp_path, 10, {"model.metric.rank": 300, "seed": 0, "trainer.max_steps": 10}, None)
    (failed / "failure.json").write_text(json.dumps({"reason": "ValueError: rank = 300 exceeds 128"}))
    write_job(tmp_path, 11, {"model.metric.rank": 8, "seed": 0, "trainer.max_steps": 10}, None)
    return tmp_path


def test_standard_error_agrees_with_scipy():
    values = np.random.default_rng(0).normal(size=7).tolist()
    found = estimate(values)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.standard_error == pytest.approx(stats.sem(values))
    assert found.count == 7


def test_one_seed_has_no_standard_error():
    assert estimate([3.0]).standard_error is None


def test_what_varied_is_found_out(sweep):
    assert varied_keys(read_jobs(sweep)) == ["model.metric.rank"]


def test_numbers_are_compared_as_numbers(tmp_path):
    for number, tau in enumerate(("1e-3", "0.001", "1.0", "1")):
        write_job(tmp_path, number, {"model.metric.tau": tau, "seed": number % 2}, {"test/elbo": -1.0})
    rows = tabulate(read_jobs(tmp_path))
    assert [(row.varied["model.metric.tau"], len(row.jobs)) for row in rows] == [(0.001, 2), (1.0, 2)]


def test_rows_are_means_over_seeds_ordered_by_what_varied(sweep):
    rows = tabulate(read_jobs(sweep))
    assert [row.varied for row in rows] == [{"model.metric.rank": 4}, {"model.metric.rank": 16}]
    found = rows[0].estimates["test/zero_shot_accuracy"]
    assert found.mean == pytest.approx(0.85)
    assert found.standard_error == pytest.approx(statistics.stdev([0.9, 0.8]) / 2**0.5)
    assert "test/iwae" not in rows[0].estimates


def test_a_seed_tried_twice_counts_once(tmp_path):
    for number, seed in enumerate((0, 1, 1)):
        write_job(tmp_path, number, {"model.metric.rank": 4, "seed": seed}, {"test/elbo": -80.0 - seed})
    assert tabulate(read_jobs(tmp_path))[0].estimates["test/elbo"].count == 2


def test_validation_scores_are_those_of_the_best_checkpoint(sweep):
    scores = RunFolder(sweep / "0").validation_scores()
    assert scores == {"elbo/validation_elbo": -90.0, "prediction/zero_shot_accuracy": pytest.approx(1.6)}


def test_equal_accuracies_are_decided_by_the_bound(tmp_path):
    for number, bound in enumerate((-75.0, -70.0, -72.0)):
        write_job(tmp_path, number, {"model.metric.rank": number + 1}, {"test/elbo": 0.0}, ((bound, 1.0),))
    best = best_row(tabulate(read_jobs(tmp_path)), ["prediction/zero_shot_accuracy", "elbo/validation_elbo"])
    assert best is not None
    assert best.varied == {"model.metric.rank": 2}


def test_summary_names_failed_jobs_and_why(sweep):
    summary = summarize(sweep)
    assert [job.directory.name for job in summary.failures] == ["10", "11"]
    assert "4 jobs finished, 2 did not" in summary.text
    assert "job 10 (model.metric.rank=300" in summary.text
    assert "ValueError: rank = 300 exceeds 128" in summary.text
    assert "still running, or killed from outside" in summary.text


@pytest.mark.parametrize("contents", ["", "[]", "{}"])
def test_a_failure_that_cannot_be_read_is_one_of_unknown_reason(tmp_path, contents):
    job = write_job(tmp_path, 0, {"seed": 0}, None)
    RunFolder(job).failure.write_text(contents)
    assert "why is unknown" in read_jobs(tmp_path)[0].failure


def test_csv_holds_every_metric(sweep):
    summarize(sweep)
    with (sweep / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model.metric.rank"] for row in rows] == ["4", "16"]
    assert float(rows[1]["test/zero_shot_accuracy"]) == pytest.approx(0.6)
    assert float(rows[1]["test/zero_shot_accuracy se"]) == pytest.approx(0.1)
    assert rows[1]["test/zero_shot_accuracy n"] == "2"
    assert rows[1]["jobs"] == "0 1"


def test_figures_are_drawn_for_numbers_that_varied(sweep):
    summarize(sweep)
    assert [file.name for file in sweep.glob("*.png")] == ["summary_model.metric.rank.png"]


def test_command_repeats_overrides_and_seeds_but_not_where_it_ran(sweep):
    row = tabulate(read_jobs(sweep))[0]
    command = "python scripts/train.py -m model.metric.rank=4 seed=0,1 trainer.max_steps=10"
    assert reproducing_command(row) == command


def test_a_folder_without_jobs_is_no_sweep(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no job of a sweep"):
        read_jobs(tmp_path)


def test_a_sweep_that_cannot_be_summarised_ends_with_status_1(sweep):
    (sweep / "summary.csv").mkdir()
    callback = SweepCallback()
    callback.unfinished = sweep
    with pytest.raises(SystemExit, match="1"):
        callback.on_multirun_end(None)
