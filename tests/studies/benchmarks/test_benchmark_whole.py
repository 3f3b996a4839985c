"""The parts of a run are timed, and add up."""

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest

from tem_vae.studies.benchmarks.whole import add_arguments, run

SMALL = [
    "trainer.max_steps=2",
    "data.batch_size=2",
    "data.walk_length=12",
    "data.validation.walks=2",
    "data.validation.walk_length=12",
    "data.test.walks=2",
    "data.test.walk_length=12",
    "model.path_integration.channels=8",
]


def test_the_parts_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args(["--output", str(tmp_path), *SMALL]))
    parts = json.loads((tmp_path / "whole.json").read_text(encoding="utf-8"))
    whole = parts.pop("whole process")
    assert sum(parts.values()) == pytest.approx(whole)
    assert min(parts.values()) > 0
    assert "| closing test |" in capsys.readouterr().out
