"""The table of a sweep as CSV, with every metric, and as Markdown, with those that are read first."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tem_vae.sweeps.table import Estimate, Row

# Column heading and format by metric.
_READ_FIRST = {
    "test/zero_shot_accuracy": ("zero-shot", "{:.3f}"),
    "test/revisit_accuracy": ("revisit", "{:.3f}"),
    "test/decoded_zero_shot_accuracy": ("decoded zero-shot", "{:.3f}"),
    "test/elbo": ("ELBO, nats", "{:.2f}"),
    "test/iwae": ("IWAE, nats", "{:.2f}"),
    "test/kl": ("KL, nats", "{:.2f}"),
    "test/effective_rank": ("effective rank of E", "{:.2f}"),
    "test/effective_rank_whitening": ("of S⁻¹E", "{:.2f}"),
    "train/seconds": ("seconds", "{:.0f}"),
}


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write every metric of every row: mean, standard error and number of seeds."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.estimates))
    columns = [f"{metric}{part}" for metric in metrics for part in ("", " se", " n")]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*(rows[0].varied if rows else ()), "jobs", *columns])
        writer.writeheader()
        writer.writerows(_flatten(row) for row in rows)


def render_markdown(rows: Sequence[Row]) -> str:
    """The metrics that are read first, mean ± standard error over seeds."""
    metrics = [m for m in _READ_FIRST if any(m in row.estimates for row in rows)]
    keys = list(rows[0].varied) if rows else []
    header = [*keys, "seeds", *(_READ_FIRST[metric][0] for metric in metrics)]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        cells = [_cell(row.estimates.get(metric), _READ_FIRST[metric][1]) for metric in metrics]
        lines.append([*(str(value) for value in row.varied.values()), str(len(row.jobs)), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _flatten(row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = dict(row.varied) | {"jobs": " ".join(job.directory.name for job in row.jobs)}
    for metric, found in row.estimates.items():
        cells |= {metric: found.mean, f"{metric} se": found.standard_error, f"{metric} n": found.count}
    return cells


def _cell(found: Estimate | None, number: str) -> str:
    if found is None:
        return "none"
    mean = number.format(found.mean)
    return mean if found.standard_error is None else f"{mean} ± {number.format(found.standard_error)}"
