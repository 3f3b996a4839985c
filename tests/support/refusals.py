"""Command lines that must be refused, and what becomes of them."""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tem_vae.config.command_line import CONF

SCRIPTS = CONF.parent / "scripts"
PATIENCE = 10.0


@dataclass(frozen=True)
class Malformed:
    """A command line that must be refused.

    Attributes:
        kind: What is wrong with it.
        named: What the message must name.
        arguments: After the script.
        script: Which script.
        in_sweep: Whether it is a sweep of two jobs, of which one must be refused and one finish.
    """

    kind: str
    named: str
    arguments: tuple[str, ...]
    script: str = "train.py"
    in_sweep: bool = False


@dataclass(frozen=True)
class Refusal:
    """How a command line ended."""

    status: int
    message: str
    seconds: float
    cpu_seconds: float
    wrote: list[str]

    def faults(self, case: Malformed) -> list[str]:
        """What is wrong with the refusal."""
        checks = {
            f"status {self.status}": self.status != (1 if case.in_sweep else 2),
            "a traceback": "Traceback" in self.message,
            f"does not name {case.named}": case.named not in self.message,
            f"took {self.cpu_seconds:.1f} s": self.cpu_seconds > PATIENCE and not case.in_sweep,
            f"wrote {self.wrote}": self.wrote != (["multirun"] if case.in_sweep else []),
            "the other job did not finish": case.in_sweep
            and "1 jobs finished, 1 did not" not in self.message,
        }
        return [fault for fault, occurred in checks.items() if occurred]


def refuse(case: Malformed, folder: Path) -> Refusal:
    """Run a command line in an empty folder."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        began, used = time.perf_counter(), cpu_seconds()
        ended = subprocess.run(
            [sys.executable, str(SCRIPTS / case.script), *case.arguments],
            cwd=work,
            capture_output=True,
            text=True,
        )
        took, used = time.perf_counter() - began, cpu_seconds() - used
        wrote = [path.name for path in Path(work).iterdir()]
    return Refusal(ended.returncode, ended.stdout + ended.stderr, took, used, wrote)


def cpu_seconds() -> float:
    """Of all processes that were started from this one and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
