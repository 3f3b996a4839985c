"""Check recorded walks, and say what is in them: ``python scripts/check_walks.py PATH``.

PATH is whatever ``data.path`` takes. The exit status is 2 if there is a problem. That it takes more walks to
train on these alone is none; see docs/data.md.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tem_vae.config.job import CONFIGURATION_WRONG, DONE
from tem_vae.errors import ConfigurationError
from tem_vae.runs.output import keep_printing


def main() -> int:
    """Print every problem, or what is in the walks; returns the exit status."""
    keep_printing()
    parser = argparse.ArgumentParser(description="Check recorded walks, and say what is in them.")
    parser.add_argument("path", type=Path, help="a file or a folder of walks: docs/data.md")
    path = parser.parse_args().path
    # Torch takes seconds to load: what is wrong with the command line was said before.
    from tem_vae.data.recorded import examine, missing_for_training, summarize

    columns = TextColumn("Steps read"), MofNCompleteColumn(), TimeElapsedColumn()
    progress = Progress(*columns, transient=True, disable=not sys.stdout.isatty())
    try:
        with progress:
            task = progress.add_task("", total=None)
            found = examine(path, advance=lambda steps: progress.advance(task, steps))
        rows, verdict = summarize(found)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_WRONG
    console = Console()
    table = Table(title=f"Walks in {path}", show_header=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    missing = missing_for_training(found.recording)
    needs = [
        "These walks can be trained on." if missing is None else f"Not yet enough to train on: {missing}."
    ]
    for sentence in [*verdict.sentences(), *needs]:
        console.print(sentence, markup=False, highlight=False)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
