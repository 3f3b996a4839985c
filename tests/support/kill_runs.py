"""Kill short runs at random moments, continue them, and see that they end as a run never killed, bit for bit.

``python tests/support/kill_runs.py --kills 50`` prints a table; the exit status is 1 if any run ended
differently. Runs are processes of their own, forked with the libraries loaded: to load them would take most
of the time of a short run.
"""

import argparse
import multiprocessing
import os
import runpy
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from short_runs import SHORT_RUN

# Loaded here, once, for all runs.
import tem_vae.evaluation.tables
import tem_vae.training.run  # noqa: F401
from tem_vae.runs.folder import RunFolder

TRAIN = Path(__file__).parents[2] / "scripts" / "train.py"
# Of wall time and of the process, which no two runs share.
CLOCKS = ("train/seconds", "train/steps_per_second", "speed/")
MOMENTS = ("start-up", "training or test", "checkpoint write")


@dataclass(frozen=True)
class Kill:
    """When and how a run is killed."""

    moment: str
    signum: signal.Signals
    delay: float

    def strike(self, process: BaseProcess, run_dir: Path) -> bool:
        """Wait for the moment and send the signal; whether the run was still there."""
        launched = time.time()
        if self.moment != "start-up":
            _wait(process, lambda: _written_since(RunFolder(run_dir).config, launched))
        if self.moment == "checkpoint write":
            checkpoints = RunFolder(run_dir).checkpoints
            _wait(process, lambda: any(checkpoints.glob("*.part")), pause=0.0)
        else:
            time.sleep(self.delay)
        if not process.is_alive():
            return False
        os.kill(process.pid or 0, self.signum)
        return True


def launch(run_dir: Path, *overrides: str) -> BaseProcess:
    """Start or continue a short run."""
    arguments = [f"run_dir={run_dir}", "resume=true", *SHORT_RUN, *overrides]
    process = multiprocessing.get_context("fork").Process(target=_run_script, args=(run_dir, arguments))
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


def draw_kills(count: int, seconds: float, seed: int) -> list[Kill]:
    """Kills at moments spread over a run that takes so many seconds after its start-up."""
    rng = np.random.default_rng(seed)
    kills = []
    for number in range(count):
        moment = str(rng.choice(MOMENTS, p=(0.14, 0.56, 0.3)))
        signum = (signal.SIGKILL, signal.SIGTERM)[number % 2]
        kills.append(Kill(moment, signum, float(rng.uniform(0, seconds))))
    return kills


def main() -> int:
    """Kill runs, print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kill_runs_"))
    references = {workers: folder / f"reference_{workers}" for workers in (0, 2)}
    for workers, reference in references.items():
        finish(launch(reference, f"data.num_workers={workers}"))
    seconds = 2 * (RunFolder(references[0]).read_metrics() or {})["train/seconds"]
    kills = draw_kills(2 * arguments.kills, seconds, arguments.seed)
    counts: Counter[tuple[str, str, int]] = Counter()
    wrong, runs = [], 0
    while counts.total() < arguments.kills:
        run_dir, workers = folder / f"run_{runs}", (0, 2)[runs % 2]
        batch = [kills.pop() for _ in range(min(1 + runs % 5, arguments.kills - counts.total()))]
        struck = kill_and_finish(run_dir, batch, f"data.num_workers={workers}")
        counts.update((kill.moment, kill.signum.name, status) for kill, status in struck)
        if found := differences(run_dir, references[workers]):
            wrong.append(f"{run_dir}: {', '.join(found)}")
        runs += 1
        print(f"{counts.total()} kills, {runs} runs, {len(wrong)} ended differently", flush=True)
    _print_table(counts)
    print(f"{runs} runs killed and continued, {runs - len(wrong)} bit-identical", *wrong, sep="\n")
    return 1 if wrong else 0


def _print_table(counts: Counter[tuple[str, str, int]]) -> None:
    table = Table("moment", "signal", "exit status", "kills")
    for (moment, signum, status), count in sorted(counts.items()):
        table.add_row(moment, signum, str(status), str(count))
    Console().print(table)


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


if __name__ == "__main__":
    sys.exit(main())
