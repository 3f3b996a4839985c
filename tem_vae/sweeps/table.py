"""The table of a sweep: a row a configuration, mean and standard error over its seeds.

It is written as CSV, with every metric, and as Markdown, with those that are read first.
"""

import csv
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tem_vae.sweeps.jobs import Job

REPEATED_OVER = "seed"

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


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds.

    Attributes:
        mean: Of those seeds that had a value.
        standard_error: Of the mean, from the sample deviation; None for a single seed.
        count: How many seeds had a value.
    """

    mean: float
    standard_error: float | None
    count: int


@dataclass(frozen=True)
class Row:
    """A configuration and what came of it.

    Attributes:
        varied: Value by key, for those keys whose value differs in the sweep.
        jobs: Its finished jobs, one a seed.
        estimates: Mean over the jobs by metric; a metric that was null in all of them is left out.
    """

    varied: Mapping[str, Any]
    jobs: Sequence[Job]
    estimates: Mapping[str, Estimate]


def varied_keys(jobs: Sequence[Job]) -> list[str]:
    """The override keys whose values differ among the jobs, but for the seed, in order of appearance."""
    keys = dict.fromkeys(key for job in jobs for key in job.overrides)
    return [
        key
        for key in keys
        if key != REPEATED_OVER and len({_sortable(j.overrides.get(key)) for j in jobs}) > 1
    ]


def tabulate(jobs: Sequence[Job]) -> list[Row]:
    """One row a configuration with a finished job, ordered by the values of what varied."""
    keys = varied_keys(jobs)
    groups: dict[tuple[tuple[bool, float, str], ...], list[Job]] = {}
    for job in jobs:
        if job.failure is None:
            groups.setdefault(tuple(_sortable(job.overrides.get(key)) for key in keys), []).append(job)
    rows = [_make_row(keys, members) for members in groups.values()]
    return sorted(rows, key=lambda row: [_sortable(value) for value in row.varied.values()])


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of one value or more, with its standard error.

    Example:
        >>> estimate([1.0, 3.0])
        Estimate(mean=2.0, standard_error=1.0, count=2)
    """
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return Estimate(statistics.fmean(values), error, len(values))


def best_row(rows: Sequence[Row], metrics: Sequence[str]) -> Row | None:
    """The row with the highest mean of the first metric, by the next where equal; None if no row has them."""
    scored = [row for row in rows if all(metric in row.estimates for metric in metrics)]
    return max(scored, key=lambda row: [row.estimates[metric].mean for metric in metrics], default=None)


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write every metric of every row: mean, standard error and number of seeds."""
    metrics = list(dict.fromkeys(name for row in rows for name in row.estimates))
    columns = [f"{metric}{part}" for metric in metrics for part in ("", " se", " n")]
    with path.open("w", newline="", encoding="utf-8") as file:
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


def _make_row(keys: Sequence[str], members: Sequence[Job]) -> Row:
    # A search may try one configuration twice; the same seed again is no second measurement.
    jobs = list({_sortable(job.overrides.get(REPEATED_OVER)): job for job in members}.values())
    names = dict.fromkeys(name for job in jobs for name in job.metrics)
    values = {name: [v for job in jobs if (v := job.metrics.get(name)) is not None] for name in names}
    estimates = {name: estimate(found) for name, found in values.items() if found}
    return Row({key: jobs[0].overrides.get(key) for key in keys}, jobs, estimates)


def _sortable(value: Any) -> tuple[bool, float, str]:
    """Numbers first, 1 the same as 1.0."""
    is_number = isinstance(value, int | float)
    return (not is_number, float(value) if is_number else 0.0, "" if is_number else str(value))


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
