"""YAML of strangers: no anchors, no depth, no size without bound."""

import os
import time
from pathlib import Path

import pytest
import yaml

from tem_vae.runs.folder import RunFolder
from tem_vae.runs.plain_yaml import read_yaml


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    return file


def test_what_a_run_writes_is_read(tmp_path: Path) -> None:
    values = {"model": {"rank": 4, "names": ["a", "&b", "*c"]}, "seed": None, "rate": 1e-3}
    folder = RunFolder(tmp_path)
    folder.write_config(values)
    assert folder.read_config() == values


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
            "anchors",
        ),
        ("[" * 200_000, "nested more than 50 deep"),
        ("a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        ("day: 2024-99-99", "a value in it cannot be read"),
        ("a: [", "expected"),
    ],
)
def test_what_no_run_writes_is_refused_at_once(tmp_path: Path, text: str, complaint: str) -> None:
    started = time.process_time()
    with pytest.raises(yaml.YAMLError, match=complaint):
        read_yaml(write(tmp_path, text))
    assert time.process_time() - started < 1


def test_pipes_and_large_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="may hold at most 16 MiB"):
        read_yaml(write(tmp_path, "x" * (16 * 2**20 + 1)))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a pipe"):
        read_yaml(tmp_path / "pipe")
