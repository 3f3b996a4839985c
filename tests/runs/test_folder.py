"""The folder of a run: one file spells its paths, and knows what they hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tem_vae
from tem_vae.runs.checkpoint import find_checkpoint
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.history import write_history

PACKAGE = Path(tem_vae.__file__).parent
SPELLED = re.compile(
    r"best\.ckpt|last\.ckpt|metrics\.json|history\.csv|config\.yaml|failure\.json|non_finite\.pt|overrides\.yaml"
)


def paths_in(file: Path) -> Iterator[str]:
    """The strings of a file that could be a path: prose, which has blanks, is none."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            yield node.value


def test_no_other_file_spells_the_paths_of_a_run() -> None:
    files = [*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "scripts").glob("*.py")]
    spelling = {path.name for path in files if any(map(SPELLED.search, paths_in(path)))}
    assert spelling == {"folder.py"}


def test_runs_load_no_torch_but_for_what_the_terminal_shows() -> None:
    for file in set((PACKAGE / "runs").glob("*.py")) - {PACKAGE / "runs" / "terminal.py"}:
        imported = re.findall(r"^\s*(?:import|from) (\w+)", file.read_text(), re.MULTILINE)
        assert not {"torch", "lightning"} & set(imported), file


def test_a_path_means_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    folder.last.touch()
    assert RunFolder.of(tmp_path) == RunFolder.of(folder.last) == folder
    monkeypatch.chdir(folder.checkpoints)
    assert RunFolder.of(Path("last.ckpt")) == folder


def test_a_folder_means_its_best_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.checkpoints.mkdir()
    folder.last.touch()
    assert find_checkpoint(tmp_path) is None
    assert find_checkpoint(folder.last) == folder.last
    folder.best.touch()
    assert find_checkpoint(tmp_path) == folder.best


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "nothing")
    assert folder.read_config() is None
    assert folder.read_metrics() is None
    assert folder.read_history() == {}
    assert folder.validation_scores() == {}
    assert not folder.holds_run


def test_plain_values_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.write_config({"seed": 1, "logger": {"kind": "none"}, "data": [1.5, None]})
    folder.write_metrics({"test/elbo": -72.25, "test/iwae": None, "train/updates": 40})
    assert folder.read_config() == {"seed": 1, "logger": {"kind": "none"}, "data": [1.5, None]}
    assert folder.read_metrics() == {"test/elbo": -72.25, "test/iwae": None, "train/updates": 40}


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        RunFolder(tmp_path).write_metrics({"test/elbo": float("nan")})
    assert not RunFolder(tmp_path).metrics.exists()


def test_validation_scores_are_those_of_the_best_checkpoint(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    history = {
        9: {"elbo/elbo": -10.0},
        10: {"elbo/elbo": -90.0, "elbo/validation_elbo": -80.0, "prediction/zero_shot_accuracy": 0.5},
        20: {"elbo/validation_elbo": -85.0, "prediction/zero_shot_accuracy": 1.0},
    }
    write_history(folder.history, history)
    assert folder.validation_scores() == {"elbo/validation_elbo": -80.0, "prediction/zero_shot_accuracy": 0.5}
