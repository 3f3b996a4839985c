"""Run every experiment of the article with its own formulas and with the corrected ones.

Prints a table of the article's figures and writes plots and a report. The exit status is 0 if every figure
that should hold does so within its sampling error, and every other figure is shown to be wrong. Needs a clone
of the repository.
"""

import argparse
import sys
from pathlib import Path

import torch

from tem_vae.runs.output import keep_printing
from tem_vae.studies.article.figure_table import print_table
from tem_vae.studies.article.plots import draw_plots
from tem_vae.studies.article.report import render_report
from tem_vae.studies.article.run import Effort, reproduce

_REPORT_FOLDER = Path(__file__).resolve().parents[1] / "docs" / "article"


def main() -> int:
    """Reproduce, print, write; returns the exit status."""
    keep_printing()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=_REPORT_FOLDER, help="folder for plots and report")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    # What rounding makes of the published formulas depends on how sums are split among threads.
    torch.set_num_threads(1)
    reproduction = reproduce(Effort())
    print_table(reproduction.checks)
    captions = draw_plots(reproduction, folder)
    (folder / "report.md").write_text(render_report(reproduction, captions), encoding="utf-8")
    print(f"wrote {folder / 'report.md'}")
    failures = list(reproduction.failures())
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
