"""A file is the old one or the new one, whenever the process dies."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tem_vae.runs.files import whole_file, write_whole


def write_half(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"ne")
        raise OSError(errno.ENOSPC, "disk full")


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "old")
    with pytest.raises(OSError, match="disk full"):
        write_half(tmp_path / "a.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full") as caught:
        write_half(tmp_path / "a.txt")
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_a_folder_that_was_removed_does_not_come_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "removed" / "a.txt", "new")
    assert not (tmp_path / "removed").exists()


def test_the_bytes_are_on_the_disk_before_the_rename_and_the_rename_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    sync, replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        order.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    (tmp_path / "new").mkdir()
    write_whole(tmp_path / "new" / "a.txt", "ä\n")
    assert order == ["file", "rename", "folder"]
    assert (tmp_path / "new" / "a.txt").read_bytes() == "ä\n".encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_link_under_the_name_of_the_scratch_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "a.txt.part").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "a.txt", "new")
    assert (tmp_path / "target").read_text() == "precious"
    assert (tmp_path / "a.txt").read_text() == "new"
    assert not (tmp_path / "a.txt").is_symlink()


def test_what_a_killed_process_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.txt.part").write_text("half of a fi")
    write_whole(tmp_path / "a.txt", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
