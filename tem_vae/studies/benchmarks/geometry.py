"""Time and peak memory of the geometry, of the article's functions and of torch's own distributions."""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import torch

from tem_vae.studies.benchmarks.geometry_jobs import OURS, Contender, GeometryJobs
from tem_vae.studies.benchmarks.geometry_table import render_tables
from tem_vae.studies.benchmarks.measure import describe_machine, interleave, peak_allocation, ratio, threads
from tem_vae.studies.benchmarks.records import Cell, Peak, Results, Timing

_SIZES = ((256, 32), (1024, 128), (4096, 128), (4096, 512))
_DIRECTIONS = ("forward", "forward_backward")
_SECONDS_A_CELL = 8.0
_SEED = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("--device", type=_device, default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--repeats", type=_rounds, default=15, help="rounds of interleaved timing (default: 15)"
    )
    parser.add_argument(
        "--sizes", type=_size, nargs="+", default=_SIZES, metavar="NxM", help="code dimension x rank"
    )
    parser.add_argument("--output", type=Path, help="folder for geometry.json and geometry.md")


def run(arguments: argparse.Namespace) -> None:
    """Measure, print the tables, and write them if asked: after every size, all results so far."""
    results = Results(describe_machine(arguments.device))
    for code_dim, rank in arguments.sizes:
        measure_size(code_dim, rank, arguments.device, arguments.repeats, results)
        if arguments.output is not None:
            _write(results, arguments.output)
    print(render_tables(results))


def measure_size(code_dim: int, rank: int, device: torch.device, repeats: int, results: Results) -> None:
    """Measure every job at one size, on one CPU thread and on all, and add the results to ``results``."""
    torch.manual_seed(_SEED)
    for job, prepare in GeometryJobs(code_dim, rank, device).by_name().items():
        print(f"N = {code_dim}, M = {rank}: {job}", file=sys.stderr, flush=True)
        contenders = prepare()
        for direction in _DIRECTIONS:
            for name, contender in contenders.items():
                peak = peak_allocation(contender.task(direction), device)
                results.peaks.append(Peak(job, code_dim, rank, direction, name, peak))
            for count in _thread_counts(device):
                cell = Cell(job, code_dim, rank, direction, count)
                results.timings.extend(_time_cell(cell, contenders, device, repeats))


def _write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "geometry.json").write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    (folder / "geometry.md").write_text(render_tables(results), encoding="utf-8")


def _time_cell(
    cell: Cell, contenders: Mapping[str, Contender], device: torch.device, repeats: int
) -> Iterator[Timing]:
    tasks = {name: contender.task(cell.direction) for name, contender in contenders.items()}
    with threads(cell.threads):
        seconds = interleave(tasks, repeats, device, _SECONDS_A_CELL)
    for name, times in seconds.items():
        yield Timing(cell, name, statistics.median(times), ratio(times, seconds[OURS]), len(times))


def _thread_counts(device: torch.device) -> list[int]:
    every = torch.get_num_threads()
    return [1, every] if device.type == "cpu" and every > 1 else [every]


def _size(text: str) -> tuple[int, int]:
    code_dim, _, rank = text.partition("x")
    if not (code_dim.isdecimal() and rank.isdecimal() and 1 <= int(rank) <= int(code_dim)):
        raise argparse.ArgumentTypeError(f"{text!r} must be NxM with 1 <= M <= N, as in 1024x128")
    return int(code_dim), int(rank)


def _rounds(text: str) -> int:
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _device(text: str) -> torch.device:
    try:
        torch.empty(0, device=text)
    except (RuntimeError, AssertionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used: {error}") from None
    return torch.device(text)
