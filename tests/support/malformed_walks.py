"""Recorded walks that must be refused, and what training makes of them.

``python tests/support/malformed_walks.py --count 200`` gives them to ``train.py`` one by one, each in
a process of its own, and prints a table by kind. The exit status is 1 if any was not refused as it should be:
status 2, one message that names the file, within 10 s, no traceback, nothing written. A file with a few bits
the other way round may also be taken.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import torch  # noqa: F401  so that forked processes need not load it
from malformed_walk_files import MalformedWalks, malformed_walks
from rich.console import Console
from rich.table import Table

import tem_vae.data.recorded  # noqa: F401  as torch
from tem_vae.config.launch import launch
from tem_vae.config.training import TrainConfig

PATIENCE = 10


def faults_of(case: MalformedWalks, folder: Path) -> list[str]:
    """What is wrong with how training ends in an empty folder."""
    status, message, seconds = train_in(folder, f"data.path='{case.path}'")
    wrote = sorted(path.name for path in folder.iterdir() if path.name != ".message")
    taken = case.may_be_taken and status == 0
    checks = {
        f"status {status}": status != 2 and not taken,
        "a traceback": "Traceback" in message,
        "does not name the file": case.path.name not in message and not taken,
        "more than one message": message.count("The configuration has") > 1,
        "a message without end": len(message) > 20_000,
        f"took {seconds:.1f} s": seconds > PATIENCE,
        f"wrote {wrote}": wrote != [] and not taken,
    }
    return [fault for fault, occurred in checks.items() if occurred]


def train_in(folder: Path, *overrides: str) -> tuple[int, str, float]:
    """Status, output and seconds of ``train.py`` up to where training would begin, in a forked process."""
    began = time.perf_counter()
    child = os.fork()
    if not child:
        signal.alarm(2 * PATIENCE)
        os.chdir(folder)
        output = os.open(".message", os.O_CREAT | os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  the process ends soon
        sys.argv = ["train.py", "data=walks", "logger=none", *overrides]
        status = 1
        try:
            status = launch(lambda config: None, "train", TrainConfig)
        finally:
            sys.stdout.flush()
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    message = (folder / ".message").read_text(encoding="utf-8", errors="replace")
    return os.waitstatus_to_exitcode(ended), message, time.perf_counter() - began


def main() -> int:
    """Refuse them all; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    console, faults, counts = Console(), defaultdict(list), Counter()
    with tempfile.TemporaryDirectory() as folder:
        cases = malformed_walks(Path(folder), arguments.count, arguments.seed)
        for case in cases:
            counts[case.kind] += 1
            with tempfile.TemporaryDirectory() as empty:
                found = faults_of(case, Path(empty))
            faults[case.kind] += [f"{case.what}: {fault}" for fault in found]
    table = Table("kind", "walks", "not refused as they should be", title=f"{len(cases)} malformed walks")
    for kind, number in counts.items():
        table.add_row(kind, str(number), "\n".join(faults[kind]) or "none")
    console.print(table)
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main())
