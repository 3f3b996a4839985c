"""Signals: one is enough, several at once mean the same, and none cuts off a save."""

import os
import signal

import pytest

from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.job import Job
from tem_vae.config.training import TrainConfig
from tem_vae.runs import interruption as subject
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.interruption import Interrupted, interruptible, interruption, interruption_found
from tem_vae.studies.rivals.config import CompareConfig


def strike() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_signals_at_once_wait_together() -> None:
    reached = []

    @interruption.deferral()
    def train() -> None:
        strike()
        strike()
        reached.append("the save")

    with interruptible(), pytest.raises(Interrupted):
        train()
    assert reached == ["the save"]


def test_a_signal_long_after_the_first_ends_all_but_a_save(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_PATIENCE", -1.0)
    reached = []

    @interruption.deferral()
    def train() -> None:
        with interruption.save():
            strike()
            strike()
            reached.append("saved")
        strike()
        reached.append("too far")

    with interruptible(), pytest.raises(Interrupted):
        train()
    assert reached == ["saved"]


def test_what_is_said_of_an_interruption_is_true(tmp_path) -> None:
    folder = RunFolder(tmp_path)
    job = Job(lambda config: None, TrainConfig, None)
    assert "nothing was saved" in job.what_remains()
    job.run_dir = tmp_path
    assert "nothing was saved" in job.what_remains()
    folder.checkpoints.mkdir()
    folder.last.touch()
    assert f"resume=true run_dir={tmp_path}" in job.what_remains()
    assert "nothing of it is kept" in Job(lambda config: None, EvaluateConfig, None).what_remains()
    assert "repeat the command" in Job(lambda config: None, CompareConfig, None).what_remains()


def stumble() -> None:
    try:
        strike()
    finally:
        raise RuntimeError("pop from an empty stack")


def test_a_library_that_stumbles_over_a_signal_was_interrupted() -> None:
    with interruptible(), pytest.raises(Interrupted), interruption_found():
        stumble()


def test_any_other_error_stays_what_it_is() -> None:
    with interruptible(), pytest.raises(RuntimeError, match="empty"), interruption_found():
        raise RuntimeError("empty")
