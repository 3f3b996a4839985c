"""Make figures of the documentation again and compare them with what the pages say.

Which figures and by which commands is read from docs/figures.md; a run takes about a minute of one core. The
exit status is 1 if a page says something else than what was found. Needs a clone of the repository.
"""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tem_vae.runs.folder import RunFolder
from tem_vae.runs.output import keep_printing

DOCS = Path(__file__).resolve().parents[1] / "docs"
LIST = DOCS / "figures.md"
_COMMAND = re.compile(r"^\| `(python [^`]+)` \| (\w[\w.]*) \|$", re.MULTILINE)
_FIGURE = re.compile(
    r"^\| (\S+\.md) \| (.+?) \| ([-\d.]+) \| (\S+) \| `(\S+)`(?: at (\d+))? \|$", re.MULTILINE
)


class Figure(NamedTuple):
    """A number that a page says.

    Attributes:
        page: In docs/.
        says: What stands there.
        value: As it is shown, which also says how many digits count.
        command: The name of the command that makes it.
        key: Of a score, or of a logged scalar.
        update: At which the scalar was logged, counted from 1; None for a score.
    """

    page: str
    says: str
    value: str
    command: str
    key: str
    update: int | None

    def find(self, run: RunFolder) -> float | None:
        """The number in a run; None if it has none."""
        if self.update is None:
            return (run.read_metrics() or {}).get(self.key)
        return run.read_history().get(self.update - 1, {}).get(self.key)

    def agrees(self, found: float | None) -> bool:
        """Whether a number is the same, but for one in the last digit that is shown."""
        digit = 10.0 ** -len(self.value.partition(".")[2])
        return found is not None and abs(found - float(self.value)) <= 1.001 * digit


def read_commands() -> dict[str, str]:
    """The commands by name."""
    return {name: command for command, name in _COMMAND.findall(LIST.read_text(encoding="utf-8"))}


def read_figures() -> list[Figure]:
    """All figures of the list."""
    rows = _FIGURE.findall(LIST.read_text(encoding="utf-8"))
    return [Figure(*row[:5], int(row[5]) if row[5] else None) for row in rows]


def main() -> int:
    """Run, compare, print; returns the exit status."""
    keep_printing()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="such as dashboards.md; default: all")
    parser.add_argument("--commands", nargs="+", metavar="NAME", help="commands by name; default: all")
    parser.add_argument("--output", type=Path, default=Path("runs/figures"), help="folder for the runs")
    arguments = parser.parse_args()
    wrong = 0
    for name, command in read_commands().items():
        figures = [figure for figure in read_figures() if figure.command == name]
        figures = [figure for figure in figures if figure.page in (arguments.only or [figure.page])]
        if figures and name in (arguments.commands or [name]):
            run = make(command, arguments.output / name)
            wrong += sum(not compare(figure, run) for figure in figures)
    print(f"{wrong} figures are not as the pages say" if wrong else "All as the pages say")
    return 1 if wrong else 0


def compare(figure: Figure, run: RunFolder) -> bool:
    """Print what a run says of a figure; whether the page says the same."""
    found = figure.find(run)
    shown = "nothing" if found is None else f"{found:.4g}"
    verdict = "as said" if figure.agrees(found) else "OTHERWISE"
    print(f"{verdict}: {figure.page}, {figure.says!r}: {shown}", flush=True)
    return figure.agrees(found)


def make(command: str, place: Path) -> RunFolder:
    """Run a command, its run written elsewhere; one that was cut off is continued, a finished one kept."""
    run = RunFolder(DOCS.parent / place)
    if run.read_metrics() is None:
        _, script, *overrides = shlex.split(command)
        kept = [override for override in overrides if not override.startswith("run_dir=")]
        arguments = [*kept, f"run_dir={run.path}", "resume=true"]
        subprocess.run([sys.executable, script, *arguments], cwd=DOCS.parent, check=False, stdout=sys.stderr)
    return run


if __name__ == "__main__":
    sys.exit(main())
