"""``history.csv``: what is written is what is read."""

import math
from pathlib import Path

from tem_vae.runs.history import extract_series, read_history, write_history

HISTORY = {19: {"elbo/elbo": -1.0 / 3.0}, 9: {"elbo/kl": math.inf, "elbo/elbo": -80.5}}


def test_the_file_has_a_row_an_update_and_a_column_a_scalar(tmp_path: Path) -> None:
    write_history(tmp_path / "h.csv", HISTORY)
    assert (tmp_path / "h.csv").read_bytes() == (
        b"update,elbo/elbo,elbo/kl\r\n9,-80.5,inf\r\n19,-0.3333333333333333,\r\n"
    )


def test_every_bit_is_read_back(tmp_path: Path) -> None:
    write_history(tmp_path / "h.csv", HISTORY)
    assert read_history(tmp_path / "h.csv") == HISTORY


def test_where_nothing_was_logged_there_is_nothing(tmp_path: Path) -> None:
    assert read_history(tmp_path / "h.csv") == {}
    write_history(tmp_path / "h.csv", {})
    assert read_history(tmp_path / "h.csv") == {}


def test_a_series_holds_finite_values_only() -> None:
    series = extract_series({9: {"a": 1.0, "b": math.nan}, 19: {"a": math.inf}, 29: {"a": 2.0}})
    assert list(series) == ["a"]
    assert series["a"].updates.tolist() == [9, 29]
    assert series["a"].values.tolist() == [1.0, 2.0]
