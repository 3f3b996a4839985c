"""Hundreds of faults: short runs and sweeps are killed, moved, denied disk or run twice, then continued.

``python tests/support/fault_campaign.py --kills 200`` prints a table; the exit status is 1 if anything ended
differently from a run that nothing happened to: weights, optimizer, history or scores, bit for bit, or with a
traceback. Every trial is a line of ``trials.jsonl`` in ``--folder``; the same command goes on after a pause.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from kill_runs import MOMENTS, Kill, differences, finish, has_begun, launch, launch_sweep
from rich.console import Console
from rich.table import Table

from tem_vae.runs.folder import RunFolder

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
SEEDS = (0, 1)
OTHER_FAULTS = 10  # trials in a hundred for each fault that is no kill


@dataclass
class Trial:
    """What was done to a run or a sweep, and what came of it.

    Attributes:
        number: Of the trial; decides all that is drawn.
        fault: What was done.
        events: Each fault that struck, with the exit status it led to.
        wrong: What ended differently; nothing if all is well.
    """

    number: int
    fault: str
    events: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many signals struck."""
        return len(self.events) if self.fault.startswith("Killed") else 0


class Campaign:
    """Trials in a folder, each a function of its number.

    Args:
        folder: Holds runs that nothing happened to, and what trials leave that went wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        for seed in SEEDS:
            finish(launch(self._reference(seed), f"seed={seed}"))
        metrics = RunFolder(self._reference(0)).read_metrics() or {}
        self._seconds = 1.3 * float(metrics["train/seconds"] or 1.0)

    def _reference(self, seed: int) -> Path:
        return self.folder / f"reference_{seed}"

    def run(self, number: int) -> Trial:
        """One trial."""
        rng = np.random.default_rng(number)
        kinds: list[Callable[[Trial, Path, np.random.Generator], None]]
        kinds = [self._full_disk, self._moved, self._two_at_once, self._killed_sweep]
        share = OTHER_FAULTS / 100
        kind = rng.choice([*range(len(kinds)), -1], p=[share] * len(kinds) + [1 - share * len(kinds)])
        act = kinds[kind] if kind >= 0 else self._killed_run
        trial = Trial(number, (act.__doc__ or "").rstrip("."))
        place = self.folder / f"trial_{number}"
        self._clear(place)
        act(trial, place, rng)
        if not trial.wrong:
            self._clear(place)
        return trial

    def _killed_run(self, trial: Trial, place: Path, rng: np.random.Generator) -> None:
        """Killed run."""
        workers = f"data.num_workers={rng.choice((0, 2))}"
        self._kill(trial, place, rng, lambda: launch(place, workers))
        self._compare(trial, place, 0)

    def _killed_sweep(self, trial: Trial, place: Path, rng: np.random.Generator) -> None:
        """Killed sweep."""
        seeds = f"seed={','.join(map(str, SEEDS))}"
        self._kill(trial, place, rng, lambda: launch_sweep(place, seeds))
        for number, seed in enumerate(SEEDS):
            self._compare(trial, place / str(number), seed)
        if not (place / "summary.md").exists():
            trial.wrong.append("no summary")

    def _kill(
        self, trial: Trial, place: Path, rng: np.random.Generator, start: Callable[[], BaseProcess]
    ) -> None:
        for _ in range(rng.integers(1, 6)):
            kill = self._draw_kill(rng)
            process = start()
            struck = kill.strike(process, place)
            status = finish(process)
            if struck:
                name = f"{kill.signum.name}{' twice' if kill.again is not None else ''}, {kill.moment}"
                trial.events.append((name, status))
        self._finish(trial, start())
        # What is still being loaded cannot say in a sentence that it was interrupted.
        if not any("start-up" in name for name, _ in trial.events):
            self._check_log(trial, place)

    def _draw_kill(self, rng: np.random.Generator) -> Kill:
        moment = str(rng.choice(MOMENTS, p=(0.1, 0.6, 0.3)))
        signum = SIGNALS[rng.integers(len(SIGNALS))]
        again = float(rng.choice((0.0, 0.02, 0.1, 0.5))) if rng.random() < 0.4 else None
        return Kill(moment, signum, float(rng.uniform(0, self._seconds)), again)

    def _full_disk(self, trial: Trial, place: Path, rng: np.random.Generator) -> None:
        """Full disk."""
        # No file may grow beyond this: a run's checkpoints are larger, its history may be.
        room = int(rng.uniform(1_000, 150_000))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        process = launch(place)
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        trial.events.append(("no room for a file", finish(process)))
        self._check_log(trial, place)
        self._finish(trial, launch(place))
        self._compare(trial, place, 0)

    def _moved(self, trial: Trial, place: Path, rng: np.random.Generator) -> None:
        """Folder moved away."""
        launched, process = time.time(), launch(place)
        while process.is_alive() and not has_begun(place, launched):
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, self._seconds / 2)))
        moved = place.with_name(f"{place.name}_moved")
        shutil.rmtree(moved, ignore_errors=True)
        place.rename(moved)
        trial.events.append(("moved", finish(process)))
        self._check_log(trial, place)
        if place.exists():
            trial.wrong.append(f"{place} came back")
        self._finish(trial, launch(moved))
        self._compare(trial, moved, 0)
        if not trial.wrong:
            self._clear(moved)

    def _two_at_once(self, trial: Trial, place: Path, rng: np.random.Generator) -> None:
        """Two at once."""
        first = launch(place)
        time.sleep(float(rng.uniform(0, 0.3)))
        second = launch(place)
        statuses = sorted((finish(first), finish(second)))
        trial.events.append(("two of one run", statuses[-1]))
        if statuses not in ([0, 2], [0, 0]):
            trial.wrong.append(f"exit statuses {statuses}")
        self._check_log(trial, place)
        self._compare(trial, place, 0)

    def _finish(self, trial: Trial, process: BaseProcess) -> None:
        if status := finish(process):
            trial.wrong.append(f"the continued run ended with status {status}")

    def _compare(self, trial: Trial, place: Path, seed: int) -> None:
        try:
            trial.wrong += differences(place, self._reference(seed))
        except (OSError, ValueError) as error:
            trial.wrong.append(str(error))

    def _check_log(self, trial: Trial, place: Path) -> None:
        if "Traceback" in Path(f"{place}.log").read_text(encoding="utf-8"):
            trial.wrong.append("a traceback")

    def _clear(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        Path(f"{place}.log").unlink(missing_ok=True)


def read_trials(file: Path) -> Iterator[Trial]:
    """The trials that were finished before; a line that was cut off is none."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        yield Trial(**fields | {"events": [(name, status) for name, status in fields["events"]]})


def main() -> int:
    """Run trials until enough kills struck, print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--kills", type=int, default=200, help="signals that must strike, all trials together"
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tem_vae_faults")
    arguments = parser.parse_args()
    campaign = Campaign(arguments.folder)
    file = arguments.folder / "trials.jsonl"
    trials = list(read_trials(file))
    while sum(trial.kills for trial in trials) < arguments.kills:
        trials.append(campaign.run(1 + max((trial.number for trial in trials), default=-1)))
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(trials[-1])) + "\n")
        wrong = sum(bool(trial.wrong) for trial in trials)
        print(f"{sum(t.kills for t in trials)} kills, {len(trials)} trials, {wrong} wrong", flush=True)
    print_table(trials)
    for trial in trials:
        if trial.wrong:
            print(f"trial {trial.number}, {trial.fault} {trial.events}: {', '.join(trial.wrong)}")
    return 1 if any(trial.wrong for trial in trials) else 0


def print_table(trials: list[Trial]) -> None:
    """A row a fault: what struck, with which exit status, how often, and how many such trials went wrong."""
    struck = Counter((trial.fault, name, status) for trial in trials for name, status in trial.events)
    table = Table("trial", "what struck", "exit status", "times", "in trials gone wrong")
    for (fault, name, status), count in sorted(struck.items()):
        wrong = sum(
            (name, status) in trial.events for trial in trials if trial.wrong and trial.fault == fault
        )
        table.add_row(fault, name, str(status), str(count), str(wrong))
    Console(width=110).print(table)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
