"""Draw the panels of the dashboard from the ``history.csv`` of runs, several in each panel: no wandb needed.

python scripts/draw_panels.py runs/default --output panels.png
python scripts/draw_panels.py runs/rank_4 runs/rank_16 --sections elbo metric --output panels.png
"""

import argparse
import sys
from pathlib import Path

from tem_vae.report.figures.training import read_scalars
from tem_vae.sweeps.dashboard.drawing import draw_panels
from tem_vae.sweeps.dashboard.panels import SECTIONS


def main() -> int:
    """Draw and write; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="directory of a run")
    parser.add_argument("--sections", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--output", type=Path, required=True, help="PNG, SVG or PDF file to write")
    arguments = parser.parse_args()
    missing = [run for run in arguments.runs if not (run / "history.csv").is_file()]
    if missing:
        parser.error(f"there is no history.csv in {', '.join(map(str, missing))}; give directories of runs")
    panels = [panel for section in arguments.sections for panel in SECTIONS[section]]
    scalars = {run.name: read_scalars(run / "history.csv") for run in arguments.runs}
    draw_panels(panels, scalars).savefig(arguments.output)
    print(f"Written to {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
