"""Short runs that are killed at some moment, continued, and compared with a run that never was.

Runs are processes of their own, forked with the libraries loaded: to load them would take most of the time of
a short run. `fault_campaign.py` does this hundreds of times.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from short_runs import SHORT_RUN

# Loaded here, once, for all runs.
import tem_vae.evaluation.tables
import tem_vae.training.run  # noqa: F401
from tem_vae.runs.folder import RunFolder
from tem_vae.sweeps.record import RECORD_FILE

TRAIN = Path(__file__).parents[2] / "scripts" / "train.py"
# Of wall time and of the process, which no two runs share.
CLOCKS = ("train/seconds", "train/steps_per_second", "speed/")
MOMENTS = ("start-up", "training or test", "checkpoint write")


@dataclass(frozen=True)
class Kill:
    """When and how a run or a sweep is killed.

    Attributes:
        moment: One of `MOMENTS`.
        signum: The signal.
        delay: Seconds to wait at that moment.
        again: Seconds until the same signal comes once more; None if it does not.
    """

    moment: str
    signum: signal.Signals
    delay: float
    again: float | None = None

    def strike(self, process: BaseProcess, folder: Path) -> bool:
        """Wait for the moment and send the signal; whether the process was still there."""
        launched = time.time()
        if self.moment != "start-up":
            _wait(process, lambda: has_begun(folder, launched))
        if self.moment == "checkpoint write":
            _wait(process, lambda: any(folder.glob("**/checkpoints/*.part")), pause=0.0)
        else:
            time.sleep(self.delay)
        if not process.is_alive():
            return False
        os.kill(process.pid or 0, self.signum)
        if self.again is not None:
            time.sleep(self.again)
            with suppress(ProcessLookupError):
                os.kill(process.pid or 0, self.signum)
        return True


def has_begun(folder: Path, moment: float) -> bool:
    """Whether a run or a sweep has come to its work since a moment."""
    return any(_written_since(file, moment) for file in (RunFolder(folder).config, folder / RECORD_FILE))


def launch(run_dir: Path, *overrides: str) -> BaseProcess:
    """Start or continue a short run."""
    return _launch(run_dir, [f"run_dir={run_dir}", "resume=true", *SHORT_RUN, *overrides])


def launch_sweep(sweep_dir: Path, *overrides: str) -> BaseProcess:
    """Start or continue a sweep of short runs."""
    return _launch(sweep_dir, ["-m", f"hydra.sweep.dir={sweep_dir}", "resume=true", *SHORT_RUN, *overrides])


def _launch(folder: Path, arguments: list[str]) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=_run_script, args=(folder, arguments))
    process.start()
    return process


def _run_script(run_dir: Path, arguments: list[str]) -> None:
    log = os.open(f"{run_dir}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # those of a test are files of its own
    sys.argv = [str(TRAIN), *arguments]
    runpy.run_path(str(TRAIN), run_name="__main__")


def finish(process: BaseProcess) -> int:
    """Wait for the end; the exit status, negative where a signal ended the process."""
    process.join()
    return int(process.exitcode or 0)


def kill_and_finish(run_dir: Path, kills: Sequence[Kill], *overrides: str) -> list[tuple[Kill, int]]:
    """Kill a run again and again, then let it finish; the kills that struck, with the exit statuses."""
    struck = []
    for kill in kills:
        process = launch(run_dir, *overrides)
        alive = kill.strike(process, run_dir)
        status = finish(process)
        if alive:
            struck.append((kill, status))
    if status := finish(launch(run_dir, *overrides)):
        raise RuntimeError(f"the continued run in {run_dir} ended with status {status}; see {run_dir}.log")
    return struck


def differences(run_dir: Path, reference: Path) -> list[str]:
    """What of two runs differs: weights, optimizer, schedules, history or metrics."""
    ours, theirs = RunFolder(run_dir), RunFolder(reference)
    found = []
    for file, other in ((ours.last, theirs.last), (ours.best, theirs.best)):
        contents, expected = (torch.load(path, weights_only=True) for path in (file, other))
        parts = ("state_dict", "optimizer_states", "lr_schedulers", "global_step")
        found += [f"{file.name}: {part}" for part in parts if not _equal(contents[part], expected[part])]
    if _without_clocks(ours) != _without_clocks(theirs):
        found.append(ours.history.name)
    metrics, scores = ours.read_metrics() or {}, theirs.read_metrics() or {}
    return found + [key for key in scores if not key.startswith(CLOCKS) and metrics[key] != scores[key]]


def _without_clocks(folder: RunFolder) -> dict[int, dict[str, float]]:
    """The history of a run, without what clocks measured."""
    return {
        update: {name: value for name, value in row.items() if not name.startswith(CLOCKS)}
        for update, row in folder.read_history().items()
    }


def _equal(ours: object, theirs: object) -> bool:
    if isinstance(ours, torch.Tensor) and isinstance(theirs, torch.Tensor):
        return torch.equal(ours, theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_equal(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        return len(ours) == len(theirs) and all(map(_equal, ours, theirs))
    return ours == theirs


def _written_since(file: Path, moment: float) -> bool:
    return file.exists() and file.stat().st_mtime >= moment


def _wait(process: BaseProcess, condition: Callable[[], bool], pause: float = 0.01) -> None:
    while process.is_alive() and not condition():
        time.sleep(pause)
