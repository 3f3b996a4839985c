"""A training step of this version beside that of another one, whose checkout lies in a folder."""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from tem_vae.studies.benchmarks.measure import describe_machine, ratio, write_results
from tem_vae.text import markdown_table

# Walks a batch, steps a walk, updates in a round.
_SHAPES = ((16, 200, 20), (8, 400, 20), (1, 8192, 1))

# Runs in either checkout: `train_bare` is in both, and in version 0.1.0 at its first place. To try and see
# would mix the two: what a checkout lacks, an editable install of the other one finds.
# The clock of the loop is that of the CPU, so that others on the machine count less.
_PROGRAM = """
import json, pathlib, sys, time
time.perf_counter = time.process_time
import torch
if pathlib.Path("tem_vae/studies").is_dir():
    from tem_vae.studies.benchmarks.training import compose_training, train_bare
else:
    from tem_vae.benchmarks.training import _compose as compose_training, train_bare
torch.set_num_threads(1)
updates, overrides = json.loads(sys.argv[1])
config = compose_training(updates, overrides)
train_bare(config, 1)
seconds = train_bare(config, updates)
print((seconds.total - seconds.data) / updates)
"""


@dataclass(frozen=True)
class Comparison:
    """Seconds of an update, one number a round.

    Attributes:
        batch: Walks in a batch.
        steps: Steps of a walk.
        theirs: Of the other version.
        ours: Of this version.
        without: Of this version without prototypes, which version 0.1.0 did not have.
    """

    batch: int
    steps: int
    theirs: list[float]
    ours: list[float]
    without: list[float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("other", type=Path, help="the checkout, as `git worktree add` makes one")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; each times every contender once")
    parser.add_argument("--output", type=Path, help="folder for versions.json and versions.md")


def run(arguments: argparse.Namespace) -> None:
    """Time the versions round by round, each in a process of its own on one thread, and print factors."""
    here = Path(__file__).resolve().parents[3]
    comparisons = []
    for batch, steps, updates in _SHAPES:
        overrides = [f"data.batch_size={batch}", f"data.walk_length={steps}", "data.lengthen_after=1"]
        rounds = [
            (
                measure(arguments.other.resolve(), updates, overrides),
                measure(here, updates, overrides),
                measure(here, updates, [*overrides, "model.memory.prototypes=0"]),
            )
            for _ in range(arguments.rounds)
        ]
        comparisons.append(Comparison(batch, steps, *map(list, zip(*rounds, strict=True))))
    results = [asdict(comparison) for comparison in comparisons]
    write_results("versions", render(comparisons), results, arguments.output)


def measure(checkout: Path, updates: int, overrides: list[str]) -> float:
    """Seconds of one update of the bare training loop of a checkout, without the wait for its walks.

    Raises:
        subprocess.CalledProcessError: The checkout cannot run it.
    """
    command = [sys.executable, "-c", _PROGRAM, json.dumps([updates, overrides])]
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        command, cwd=checkout, env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(found.stdout.split()[-1])


def render(comparisons: list[Comparison]) -> str:
    """The page with the table."""
    rows = [
        [
            f"{each.batch} × {each.steps:,}",
            f"{1e3 * min(each.theirs):.0f} ms",
            f"{1e3 * min(each.ours):.0f} ms",
            f"× {ratio(each.theirs, each.ours):.1f}",
            f"× {ratio(each.theirs, each.without):.1f}",
        ]
        for each in comparisons
    ]
    header = ["walks × steps", "other version", "this version", "factor", "factor without prototypes"]
    return (
        "# A training step beside that of another version\n\n"
        "<!-- Written by scripts/benchmark.py versions; edit that, not this. -->\n\n"
        f"On {describe_machine(torch.device('cpu'))}, one thread, CPU time. Times are the shortest of all "
        "rounds; a factor is the median over rounds of the ratio within a round.\n\n"
        + markdown_table(header, rows)
    )
