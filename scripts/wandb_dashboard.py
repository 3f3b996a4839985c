"""Build the dashboard of a wandb project: sections and panels for what training logs, and for sweeps.

    python scripts/wandb_dashboard.py --json dashboard.json          (needs no network and no account)
    python scripts/wandb_dashboard.py --entity NAME                  (saves it; needs a key)

Needs the extra "dashboard".
"""

import argparse
import sys
from pathlib import Path

import wandb

try:
    from tem_vae.sweeps.dashboard.workspace import build_workspace, render_json
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install it with: pip install -c constraints.txt -e '.[dashboard]'")

_NO_KEY = """Saving a dashboard needs a wandb key, and none was found.
Run `wandb login` (a key is at https://wandb.ai/authorize) or set WANDB_API_KEY, then try again;
--json FILE writes the dashboard without one."""


def main() -> int:
    """Write or save the dashboard; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entity", default="", help="wandb user or team; needed to save")
    parser.add_argument("--project", default="tem_vae", help="wandb project")
    parser.add_argument("--json", type=Path, help="file to write instead of saving")
    arguments = parser.parse_args()
    workspace = build_workspace(arguments.entity, arguments.project)
    if arguments.json:
        arguments.json.write_text(render_json(workspace) + "\n", encoding="utf-8")
        return 0
    if not arguments.entity:
        parser.error("saving needs --entity NAME, the wandb user or team; --json FILE writes without one")
    if not wandb.login(prompt=False):
        print(_NO_KEY, file=sys.stderr)
        return 2
    workspace.save()
    return 0


if __name__ == "__main__":
    sys.exit(main())
