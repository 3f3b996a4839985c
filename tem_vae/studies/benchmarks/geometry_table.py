"""The Markdown tables of the geometry benchmark."""

from collections.abc import Iterable
from typing import TypeVar

from tem_vae.studies.benchmarks.geometry_jobs import ARTICLE, LOW_RANK, OURS, QUOTIENT
from tem_vae.studies.benchmarks.records import Results, Timing
from tem_vae.text import markdown_table

_T = TypeVar("_T")
_RIVALS = (ARTICLE, LOW_RANK, QUOTIENT)
_DIRECTION = {"forward": "forward", "forward_backward": "forward + backward"}


def render_tables(results: Results) -> str:
    """A table of times for each job, and a table of peak memory."""
    jobs = _distinct(timing.cell.job for timing in results.timings)
    sections = [
        "# Geometry: times and memory",
        "<!-- Written by scripts/benchmark.py geometry; edit that, not this. -->",
        f"On {results.machine}. Times are medians of interleaved rounds in milliseconds; a factor is how "
        "many times longer than ours, the median over rounds.",
        *(f"## {job.capitalize()}\n\n{_time_table(results, job)}" for job in jobs),
        "## Peak memory in tensors\n\nBeyond the inputs, in MB; a factor is how many times more than ours.",
        _memory_table(results),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _time_table(results: Results, job: str) -> str:
    timings = [timing for timing in results.timings if timing.cell.job == job]
    rivals = [name for name in _RIVALS if any(timing.contender == name for timing in timings)]
    counts = _distinct(timing.cell.threads for timing in timings)
    header = ["N × M", "direction"]
    for count in counts:
        header += [f"ours, {_threads(count)}", *rivals]
    rows = []
    for size in _distinct((timing.cell.code_dim, timing.cell.rank) for timing in timings):
        for direction, shown in _DIRECTION.items():
            row = [f"{size[0]} × {size[1]}", shown]
            for count in counts:
                cell = {
                    timing.contender: timing
                    for timing in timings
                    if (timing.cell.code_dim, timing.cell.rank) == size
                    and (timing.cell.direction, timing.cell.threads) == (direction, count)
                }
                row += [_milliseconds(cell[OURS]), *(_factor(cell[name].ratio) for name in rivals)]
            rows.append(row)
    return markdown_table(header, rows)


def _memory_table(results: Results) -> str:
    rows = []
    for key in _distinct((peak.job, peak.code_dim, peak.rank, peak.direction) for peak in results.peaks):
        allocated = {
            peak.contender: peak.allocated
            for peak in results.peaks
            if (peak.job, peak.code_dim, peak.rank, peak.direction) == key
        }
        job, code_dim, rank, direction = key
        factors = [
            _factor(allocated[name] / allocated[OURS]) if name in allocated else "" for name in _RIVALS
        ]
        rows.append(
            [job, f"{code_dim} × {rank}", _DIRECTION[direction], f"{allocated[OURS] / 1e6:.3g}", *factors]
        )
    return markdown_table(["job", "N × M", "direction", "ours", *_RIVALS], rows)


def _distinct(values: Iterable[_T]) -> list[_T]:
    return list(dict.fromkeys(values))


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _milliseconds(timing: Timing) -> str:
    return f"{1e3 * timing.seconds:.3g}"


def _factor(value: float) -> str:
    return f"× {value:.2g}" if value < 10 else f"× {value:.0f}"
