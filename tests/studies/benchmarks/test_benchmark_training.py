"""The bare loop trains, and a run of the benchmark reports both ways to train."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path

import pytest

from tem_vae.studies.benchmarks.training import TimedBatches, add_arguments, run

SMALL = ["data.batch_size=2", "data.walk_length=12", "model.path_integration.channels=8"]


def test_a_run_prints_and_writes_both_ways_to_train(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    run(parser.parse_args(["--updates", "3", "--rounds", "1", "--output", str(tmp_path), *SMALL]))
    results = json.loads((tmp_path / "training.json").read_text(encoding="utf-8"))
    assert results["bare_steps_per_second"] > 0
    assert results["lightning_steps_per_second"] > 0
    assert 0 < results["share_waiting_for_data"] < 1
    assert "Lightning over bare" in capsys.readouterr().out


def test_waiting_for_batches_is_counted_and_work_with_them_is_not() -> None:
    def draw() -> object:
        time.sleep(0.02)
        return object()

    batches = TimedBatches(draw() for _ in range(3))
    for _ in batches:
        time.sleep(0.05)
    assert 0.06 <= batches.waiting < 0.15
