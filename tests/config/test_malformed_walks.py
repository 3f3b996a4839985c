"""Training refuses recorded walks that are malformed: a few of every kind; the script tries hundreds."""

from pathlib import Path

from malformed_walk_files import malformed_walks
from malformed_walks import faults_of, train_in
from recorded_walks import recorded


def test_malformed_walks_are_refused_in_one_message(tmp_path: Path) -> None:
    made, empty = tmp_path / "made", tmp_path / "empty"
    made.mkdir()
    found = []
    for number, case in enumerate(malformed_walks(made, count=16, seed=1)):
        folder = empty / str(number)
        folder.mkdir(parents=True)
        found += [f"{case.kind}, {case.what}: {fault}" for fault in faults_of(case, folder)]
    assert found == []


def test_good_walks_are_taken_by_the_same_means(tmp_path: Path) -> None:
    path = recorded(tmp_path / "good.h5")
    status, message, _ = train_in(tmp_path, f"data.path={path}")
    assert (status, message) == (0, "")
