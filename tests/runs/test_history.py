import csv
from pathlib import Path

from tem_vae.training.history import HistoryLogger


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scalars_of_an_update_stand_in_one_row(tmp_path: Path) -> None:
    history = HistoryLogger(tmp_path / "history.csv")
    history.log_metrics({"loss": 1.5, "epoch": 0}, step=9)
    history.log_metrics({"score": 0.25}, step=9)
    history.log_metrics({"loss": 1.25}, step=19)
    history.save()
    assert read(tmp_path / "history.csv") == [
        {"update": "9", "loss": "1.5", "score": "0.25"},
        {"update": "19", "loss": "1.25", "score": ""},
    ]


def test_a_continued_run_keeps_what_came_before_it(tmp_path: Path) -> None:
    first = HistoryLogger(tmp_path / "history.csv")
    for update in (9, 19, 29):
        first.log_metrics({"loss": float(update)}, step=update)
    first.finalize("failed")
    second = HistoryLogger(tmp_path / "history.csv", first_update=20)
    second.log_metrics({"loss": -1.0}, step=29)
    second.finalize("success")
    assert [(row["update"], row["loss"]) for row in read(tmp_path / "history.csv")] == [
        ("9", "9.0"),
        ("19", "19.0"),
        ("29", "-1.0"),
    ]
