"""The summary of a sweep: its table, its figures, its best configuration, and the jobs that failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tem_vae.runs.folder import CHOOSES_CHECKPOINT
from tem_vae.sweeps.figures import draw_figures
from tem_vae.sweeps.jobs import Job, read_jobs
from tem_vae.sweeps.record import read_record
from tem_vae.sweeps.table import REPEATED_OVER, Row, best_row, render_markdown, tabulate, write_csv

# Before a sweep.yaml was there to say.
_DEFAULT_OBJECTIVE = "prediction/zero_shot_accuracy"


@dataclass(frozen=True)
class Summary:
    """What came of a sweep.

    Attributes:
        sweep_dir: Where it stands; ``summary.md``, ``summary.csv`` and figures are written there.
        text: The Markdown.
        failures: The jobs without a result.
    """

    sweep_dir: Path
    text: str
    failures: Sequence[Job]


def summarize(sweep_dir: Path) -> Summary:
    """Summarise a sweep, finished or not, and write the summary into its directory.

    Raises:
        FileNotFoundError: There is no job in the directory.
    """
    jobs = read_jobs(sweep_dir)
    rows = tabulate(jobs)
    failures = [job for job in jobs if job.failure is not None]
    record = read_record(sweep_dir)
    objective = record.objective if record else _DEFAULT_OBJECTIVE
    write_csv(rows, sweep_dir / "summary.csv")
    figures = draw_figures(rows, sweep_dir)
    text = _render(sweep_dir, rows, failures, objective, figures)
    (sweep_dir / "summary.md").write_text(text, encoding="utf-8")
    return Summary(sweep_dir, text, failures)


def reproducing_command(row: Row) -> str:
    """The command that trains a row's configuration again, with its seeds."""
    overrides = dict(row.jobs[0].overrides)
    seeds = [str(job.overrides[REPEATED_OVER]) for job in row.jobs if REPEATED_OVER in job.overrides]
    if seeds:
        overrides[REPEATED_OVER] = ",".join(seeds)
    multirun = ["-m"] if len(seeds) > 1 else []
    arguments = [f"{key}={value}" for key, value in overrides.items()]
    return " ".join(["python scripts/train.py", *multirun, *arguments])


def _render(
    sweep_dir: Path, rows: Sequence[Row], failures: Sequence[Job], objective: str, figures: Sequence[Path]
) -> str:
    finished = sum(len(row.jobs) for row in rows)
    parts = [f"# Sweep {sweep_dir.name}\n", f"{finished} jobs finished, {len(failures)} did not.\n"]
    if rows:
        parts.append("Mean ± standard error over seeds, test walks:\n")
        parts.append(render_markdown(rows))
    # An accuracy of 1 is reached by many, a bound by one.
    best = best_row(rows, [objective, CHOOSES_CHECKPOINT])
    if best is not None:
        value = best.estimates[objective].mean
        parts.append(f"Best by validation, {objective} = {value:.4g}:\n")
        parts.append(f"    {reproducing_command(best)}\n")
    if failures:
        parts.append("Jobs without a result:\n")
        parts.append("".join(_describe(job) for job in failures))
    parts += [f"![{figure.stem}]({figure.name})\n" for figure in figures]
    return "\n".join(parts)


def _describe(job: Job) -> str:
    overrides = " ".join(f"{key}={value}" for key, value in job.overrides.items())
    return f"- job {job.directory.name} ({overrides}): {job.failure}\n"


def print_summary(summary: Summary) -> None:
    """Show the summary in the terminal."""
    print(summary.text)
    print(f"Written to {summary.sweep_dir}")
