"""Two versions are timed by the same program, each in its own checkout."""

import subprocess
from pathlib import Path

import pytest

from tem_vae.studies.benchmarks.versions import Comparison, measure, render

HERE = Path(__file__).parents[3]
SMALL = ["data.batch_size=2", "data.walk_length=12", "model.path_integration.channels=8"]


def test_a_checkout_is_timed_and_wrong_overrides_are_refused() -> None:
    assert measure(HERE, 2, SMALL) > 0
    with pytest.raises(subprocess.CalledProcessError):
        measure(HERE, 2, [*SMALL, "data.walk_length=none"])


def test_factors_are_medians_of_ratios_within_a_round() -> None:
    page = render([Comparison(1, 8192, [4.0, 9.0, 6.0], [2.0, 3.0, 6.0], [1.0, 1.0, 1.0])])
    assert "| 1 × 8,192 | 4000 ms | 2000 ms | × 2.0 | × 6.0 |" in page
