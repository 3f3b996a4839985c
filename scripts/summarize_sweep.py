"""Summarise a sweep, at any time: ``python scripts/summarize_sweep.py multirun/DIRECTORY``.

Writes summary.csv, summary.md and figures into it. The exit status is 1 if a job has no result.
"""

import argparse
import sys
from pathlib import Path

from tem_vae.runs.output import keep_printing
from tem_vae.sweeps.summary import print_summary, summarize


def main() -> int:
    """Summarise and print; returns the exit status."""
    keep_printing()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory", type=Path, help="of the sweep")
    try:
        summary = summarize(parser.parse_args().directory)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    print_summary(summary)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
