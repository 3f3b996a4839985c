"""A run directory belongs to one process at a time, and to nobody once that process has ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tem_vae.errors import ConfigurationError
from tem_vae.runs.claim import OWNER, claimed

HOLD = """
import sys, time
from pathlib import Path
from tem_vae.runs.claim import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(run_dir)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"claimed\n"
        refused = rf"being written by process {owner.pid} on \S+, since 20"
        with pytest.raises(ConfigurationError, match=refused), claimed(run_dir):
            pass
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    with claimed(run_dir):
        assert f'"pid": {os.getpid()}' in (run_dir / OWNER).read_text()
    assert not (run_dir / OWNER).exists()


def test_processes_that_train_together_share_the_claim_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with claimed(tmp_path, processes=2):
        monkeypatch.setenv("LOCAL_RANK", "1")
        with claimed(tmp_path, processes=2):
            pass


@pytest.mark.parametrize("rank", ["SLURM_PROCID", "RANK", "LOCAL_RANK"])
def test_runs_of_their_own_that_a_cluster_numbers_do_not_share_a_folder(
    rank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rank, "1")
    with (
        claimed(tmp_path),
        pytest.raises(ConfigurationError, match=r"sweep\.dir = .* is being written"),
        claimed(tmp_path, key="hydra.sweep.dir"),
    ):
        pass


def test_another_folder_in_its_place_is_left_as_it_is(tmp_path: Path) -> None:
    with claimed(tmp_path / "run"):
        (tmp_path / "run").rename(tmp_path / "moved")
        other = claimed(tmp_path / "run")
        other.__enter__()
    assert (tmp_path / "run" / OWNER).exists()
    other.__exit__(None, None, None)


def test_a_folder_that_was_removed_is_let_go_in_peace(tmp_path: Path) -> None:
    with claimed(tmp_path / "run"):
        for path in (tmp_path / "run").iterdir():
            path.unlink()
        (tmp_path / "run").rmdir()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written to"), claimed(tmp_path / "file" / "run"):
        pass
