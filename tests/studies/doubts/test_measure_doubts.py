"""What a belief is worth, measured on a short run; scripts/measure_doubts.py as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from composed import compose_short_run
from hydra import initialize_config_dir

from tem_vae.config.command_line import CONF, read_run
from tem_vae.errors import ConfigurationError
from tem_vae.studies.doubts.config import DoubtsConfig
from tem_vae.studies.doubts.measure import PREDICTORS, SCORES, measure, write_result
from tem_vae.training.run import train

COLUMN = ("name=short", "data.walks=3", "belief.hypotheses=3", "out=out")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run_dir = tmp_path_factory.mktemp("runs") / "run"
    train(compose_short_run("trainer.max_steps=2"), run_dir)
    return run_dir


def configure(*overrides: str) -> DoubtsConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run(overrides, "doubts", DoubtsConfig)[1]


def test_every_predictor_is_scored_and_a_table_grows(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = configure(*COLUMN, f"checkpoint={run}", "data.slips=0.2", "belief.slip_rate=0.2")
    write_result(first, measure(first))
    script = [sys.executable, str(CONF.parent / "scripts" / "measure_doubts.py"), *COLUMN]
    second = [f"checkpoint={run}", "data.slips=0.1", "belief.slip_rate=0.1"]
    subprocess.run([*script, *second], check=True, capture_output=True)
    result = json.loads(Path("out/results/short/0.2-3-30-0.json").read_text())
    assert result["means"].keys() == {f"{who}_{score}" for who in PREDICTORS for score in SCORES}
    assert all(mean == mean for mean in result["means"].values())
    assert result["means"]["filter_map_revisit"] > result["means"]["told_revisit"]
    rows = [line for line in Path("out/short.md").read_text().splitlines() if "| 3 of 30 |" in line]
    assert [row.split("|")[2].strip() for row in rows] == ["10 %", "20 %"] * 2
    assert Path("out/short.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["data.slips=2"], r"data\.slips = 2"),
        (["name='a table'"], r"name = a table"),
        (["belief.hypotheses=0"], r"belief\.hypotheses = 0"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(arguments: list[str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        configure(*COLUMN, "checkpoint=.", *arguments)


def test_somebody_must_doubt(run: Path) -> None:
    config = configure("name=short", f"checkpoint={run}", "data.slips=0.1")
    with pytest.raises(ConfigurationError, match=r"belief\.hypotheses: say how many"):
        measure(config)
