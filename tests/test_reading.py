"""Files of others: regular ones, of a bounded size."""

import os
from pathlib import Path

import pytest

from tem_vae.reading import read_given


def test_a_file_of_exactly_the_largest_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / "given"
    file.write_bytes(b"12345")
    (tmp_path / "link").symlink_to(file)
    assert read_given(file, 5) == read_given(tmp_path / "link", 5) == b"12345"
    with pytest.raises(OSError, match="it holds 5 bytes, and may hold at most 4 bytes"):
        read_given(file, 4)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe"):
        read_given(tmp_path / "pipe", 5)


def test_a_device_is_not_opened() -> None:
    with pytest.raises(OSError, match="a device"):
        read_given(Path("/dev/zero"), 5)


def test_a_file_that_says_it_is_empty_is_still_bounded() -> None:
    """Files that the kernel makes up have size 0 whatever they hold."""
    with pytest.raises(OSError, match="it grows while it is read"):
        read_given(Path("/proc/self/status"), 5)


def test_missing_files_and_folders_are_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_given(tmp_path / "missing", 5)
    with pytest.raises(IsADirectoryError):
        read_given(tmp_path, 5)
