"""The campaign of faults finds nothing in a few trials, and goes on after a pause."""

from pathlib import Path

import fault_campaign
import pytest
from fault_campaign import Campaign, Trial, read_trials


def test_a_kill_and_each_other_fault_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_campaign, "OTHER_FAULTS", 25)
    campaign = Campaign(tmp_path)
    faults = {}
    number = 0
    while len(faults) < 3:
        trial = campaign.run(number)
        assert trial.wrong == []
        faults[trial.fault] = trial
        number += 1
    assert all(trial.events for trial in faults.values())


def test_a_line_that_was_cut_off_is_no_trial(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    line = '{"number": 3, "fault": "Killed run", "events": [["SIGTERM, start-up", 143]], "wrong": []}\n'
    file.write_text(line + line[:40])
    (trial,) = read_trials(file)
    assert trial.kills == 1
    assert [trial] == [Trial(3, "Killed run", [("SIGTERM, start-up", 143)])]
    assert not list(read_trials(tmp_path / "none.jsonl"))
