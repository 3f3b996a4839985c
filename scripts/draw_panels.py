"""Draw the panels of the dashboard from the ``history.csv`` of runs, several in each panel: no wandb needed.

python scripts/draw_panels.py runs/default --output panels.png
python scripts/draw_panels.py runs/rank_4 runs/rank_16 --sections elbo metric --output panels.png
"""

import argparse
import sys
from pathlib import Path

from tem_vae.runs.folder import RunFolder
from tem_vae.runs.history import extract_series
from tem_vae.runs.output import keep_printing
from tem_vae.sweeps.dashboard.drawing import draw_panels
from tem_vae.sweeps.dashboard.panels import SECTIONS


def main() -> int:
    """Draw and write; returns the exit status."""
    keep_printing()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="directory of a run")
    parser.add_argument("--sections", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--output", type=Path, required=True, help="PNG, SVG or PDF file to write")
    arguments = parser.parse_args()
    runs = [RunFolder(path) for path in arguments.runs]
    missing = [run for run in runs if not run.history.is_file()]
    if missing:
        folders = ", ".join(str(run.path) for run in missing)
        parser.error(f"there is no {missing[0].history.name} in {folders}; give directories of runs")
    panels = [panel for section in arguments.sections for panel in SECTIONS[section]]
    scalars = {run.path.name: extract_series(run.read_history()) for run in runs}
    draw_panels(panels, scalars).savefig(arguments.output)
    print(f"Written to {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
