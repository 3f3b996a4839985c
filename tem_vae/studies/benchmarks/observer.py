"""Time of one step of an observer that remembers much, with all memories kept and with a capacity."""

import argparse
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from tem_vae.model import Observer
from tem_vae.studies.benchmarks.measure import describe_machine, threads, write_results
from tem_vae.studies.benchmarks.memory import build_default
from tem_vae.text import markdown_table

_TIMED = 200


@dataclass(frozen=True)
class Steps:
    """How long a step takes once much was observed, on one thread.

    Attributes:
        observed: Steps before.
        kept: Memories that were left of them.
        milliseconds: CPU time of a step, the median of a few hundred.
        mean_milliseconds: Their mean, which merging and growing have a part in.
    """

    observed: int
    kept: int
    milliseconds: float
    mean_milliseconds: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument(
        "--observed",
        type=int,
        nargs="+",
        default=(100, 1000, 10000),
        help="steps before those that are timed",
    )
    parser.add_argument("--capacity", type=int, default=1000, help="memories that the bounded observer keeps")
    parser.add_argument("--output", type=Path, help="folder for observer.json and observer.md")


def run(arguments: argparse.Namespace) -> None:
    """Take both observers on a random walk, print the table, and write it if asked."""
    with threads(1):
        kept = {
            "all": measure_steps(arguments.observed, None),
            f"capacity {arguments.capacity:,}": measure_steps(arguments.observed, arguments.capacity),
        }
    results = {name: [asdict(steps) for steps in rows] for name, rows in kept.items()}
    write_results("observer", render(kept), results, arguments.output)


def measure_steps(observed: list[int], capacity: int | None) -> list[Steps]:
    """Time steps of one walk after each number of observed ones, in increasing order."""
    model = build_default().eval()
    observer = Observer(model, capacity)
    observer.observe(_percept(observer))
    steps, done = [], 1
    for count in sorted(observed):
        for _ in range(count - done):
            _step(observer)
        seconds = [_step(observer) for _ in range(_TIMED)]
        done = max(done, count) + _TIMED
        milliseconds = 1e3 * statistics.median(seconds), 1e3 * statistics.mean(seconds)
        steps.append(Steps(count, observer.counts.shape[-1], *milliseconds))
    return steps


def render(kept: dict[str, list[Steps]]) -> str:
    """The page with the table."""
    rows = [
        [
            name,
            f"{steps.observed:,}",
            f"{steps.kept:,}",
            f"{steps.milliseconds:.2f} ms",
            f"{steps.mean_milliseconds:.2f} ms",
        ]
        for name, each in kept.items()
        for steps in each
    ]
    header = ["memories", "observed before", "kept", "a step, median", "mean"]
    return (
        "# Observer: a step after many\n\n"
        "<!-- Written by scripts/benchmark.py observer; edit that, not this. -->\n\n"
        f"On {describe_machine(torch.device('cpu'))}, one thread, CPU time of the next {_TIMED} steps.\n\n"
        + markdown_table(header, rows)
    )


def _step(observer: Observer) -> float:
    percept, action = _percept(observer), int(torch.randint(5, ()))
    start = time.process_time()
    observer.observe(percept, action)
    return time.process_time() - start


def _percept(observer: Observer) -> torch.Tensor:
    return torch.randn(observer.model.encoder.percept_shape)
