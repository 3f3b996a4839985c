"""A folder that is removed, moved or replaced is noticed."""

from pathlib import Path

import pytest

from tem_vae.errors import FolderGoneError
from tem_vae.runs.presence import Presence, present


def test_the_same_folder_is_there_whatever_is_written_to_it(tmp_path: Path) -> None:
    presence = Presence(tmp_path)
    (tmp_path / "a.txt").touch()
    presence.check()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_moved_folder_is_noticed(replaced: bool, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    presence = Presence(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    if replaced:
        (tmp_path / "run").mkdir()
    with pytest.raises(FolderGoneError, match=r"run was removed or moved .* resume=true"):
        presence.check()


def test_only_an_error_that_comes_of_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(KeyError), present(tmp_path / "run"):
        raise KeyError
    watched = present(tmp_path / "run")
    watched.__enter__()
    (tmp_path / "run").rmdir()
    with pytest.raises(FolderGoneError):
        watched.__exit__(FileNotFoundError, FileNotFoundError(), None)
