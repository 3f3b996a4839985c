"""The benchmarks of long walks run, and say what they measured."""

import argparse
import json
import math
from pathlib import Path

import pytest

from tem_vae.studies.benchmarks import memory, observer
from tem_vae.studies.benchmarks.memory import LongWalk, memory_exponent


def test_a_walk_is_measured_beside_its_dense_rival() -> None:
    walk = memory.measure_walk(100)
    assert walk.seconds > 0
    assert walk.dense is not None
    assert walk.dense > 0


def test_the_exponent_is_the_slope() -> None:
    walks = [LongWalk(steps, 1.0, 3 * steps**1.5, None) for steps in (10, 100, 1000)]
    assert memory_exponent(walks) == pytest.approx(1.5)
    assert math.isnan(memory_exponent(walks[:1]))


def test_an_observer_with_a_capacity_keeps_no_more(tmp_path: Path) -> None:
    observer.run(argparse.Namespace(observed=[10, 300], capacity=50, output=tmp_path))
    found = json.loads((tmp_path / "observer.json").read_text())
    assert found["all"][-1]["kept"] == 500
    assert found["capacity 50"][-1]["kept"] <= 50
    assert "| capacity 50 | 300 |" in (tmp_path / "observer.md").read_text()
