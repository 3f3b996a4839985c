"""``metrics.json``: the scores of a finished run."""

import json
from pathlib import Path

from tem_vae.runs.files import write_whole

Metrics = dict[str, float | int | None]


def read_metrics(run_dir: Path) -> Metrics | None:
    """What ``metrics.json`` holds; None where the run is not finished."""
    path = run_dir / "metrics.json"
    if not path.exists():
        return None
    metrics: Metrics = json.loads(path.read_text(encoding="utf-8"))
    return metrics


def write_metrics(metrics: Metrics, run_dir: Path) -> None:
    """Write ``metrics.json``."""
    write_whole(run_dir / "metrics.json", json.dumps(metrics, indent=2, allow_nan=False) + "\n")
