"""Pairs, kinds of steps, histories and tables, against hand-computed cases."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tem_vae.report.figures.distances import draw_pairs
from tem_vae.report.figures.training import find_lock_in, measure_training
from tem_vae.report.table import Table, flatten_array
from tem_vae.report.walk_trace import name_kinds
from tem_vae.runs.history import Series


def test_pairs_are_of_two_arrivals_each_once() -> None:
    arrivals = np.array([[True, False, True, True], [True, False, False, False]])
    walk, first, second = draw_pairs(arrivals, np.random.default_rng(0))
    assert set(zip(walk.tolist(), first.tolist(), second.tolist(), strict=True)) == {
        (0, 0, 2),
        (0, 0, 3),
        (0, 2, 3),
    }
    assert len(walk) == 3


def test_kinds_of_steps_by_name() -> None:
    """Round a square: the closing link is walked for the first time, into a known place."""
    kinds = name_kinds(torch.tensor([[0, 1, 1, 3, 2, 0, 1]]))
    assert kinds == (
        "start",
        "first visit",
        "stay",
        "first visit",
        "first visit",
        "zero-shot link",
        "revisit",
    )


def test_lock_in_is_where_accuracy_comes_to_stay_near_the_best() -> None:
    updates = np.array([200, 400, 600, 800])
    assert find_lock_in(Series(updates, np.array([0.2, 0.91, 1.0, 0.95]))) == 400
    assert find_lock_in(Series(updates, np.array([1.0, 0.5, 0.95, 1.0]))) == 600
    assert find_lock_in(Series(updates, np.array([1.0, 1.0, 1.0, 0.99]))) == 200
    assert find_lock_in(Series(updates, np.array([0.2, 0.91, 1.0, 0.5]))) is None
    assert find_lock_in(None) is None
    assert find_lock_in(Series(np.array([200]), np.array([0.0]))) is None


def test_history_is_read_without_gaps_and_nan(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    path.write_text("update,elbo/elbo,elbo/kl,other\n9,-3.5,,1\n19,nan,2,1\n")
    history = measure_training(path)
    assert history.series["elbo/elbo"].values.tolist() == [-3.5]
    assert history.series["elbo/kl"].updates.tolist() == [19]
    assert set(history.series) == {"elbo/elbo", "elbo/kl"}
    assert measure_training(path.with_name("none.csv")).series == {}


def test_tables_refuse_columns_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"equally long.*'a': 2, 'b': 3"):
        Table("t", {"a": np.zeros(2), "b": np.zeros(3)})


def test_an_array_in_long_form_has_a_row_a_value() -> None:
    table = flatten_array("t", np.array([[1.5, 2.5]]), ("row", "column"), "value")
    assert {name: column.tolist() for name, column in table.columns.items()} == {
        "row": [0, 0],
        "column": [0, 1],
        "value": [1.5, 2.5],
    }
