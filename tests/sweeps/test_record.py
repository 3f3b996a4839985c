import os

import pytest

from tem_vae.errors import ConfigurationError
from tem_vae.sweeps.record import SweepRecord, find_sweep, identifying_overrides

COMMAND = ["seed=0,1", "model.metric.rank=2,4", "hydra/launcher=joblib"]


def test_where_and_how_jobs_run_does_not_tell_sweeps_apart():
    elsewhere = ["model.metric.rank=2,4", "seed=0,1", "resume=true", "hydra.launcher.n_jobs=3", "logger=none"]
    assert identifying_overrides(COMMAND) == identifying_overrides(elsewhere)
    assert identifying_overrides(COMMAND) != identifying_overrides([*COMMAND, "trainer.max_steps=10"])


def test_the_latest_sweep_of_the_same_command_is_found(tmp_path):
    for age, (name, command) in enumerate({"b": COMMAND, "a": COMMAND, "other": ["seed=7"]}.items()):
        SweepRecord(identifying_overrides(command), "elbo/validation_elbo").write(tmp_path / name)
        os.utime(tmp_path / name / "sweep.yaml", (1000 - age, 1000 - age))
    assert find_sweep(tmp_path, [*COMMAND, "resume=true"]) == tmp_path / "b"


def test_nothing_to_continue_is_said(tmp_path):
    with pytest.raises(ConfigurationError, match=r"no sweep in .* was started with .*seed=0,1"):
        find_sweep(tmp_path, COMMAND)
