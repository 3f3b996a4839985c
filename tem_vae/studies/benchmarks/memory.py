"""Time and memory of a training step over a long walk, beside the density from an array of all pairs."""

import argparse
import math
import multiprocessing
import resource
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from tem_vae.geometry import NeighborhoodMixture, Pseudometric
from tem_vae.model import (
    GaussianLikelihood,
    Inference,
    MemoryPrior,
    MlpDecoder,
    MlpEncoder,
    PathIntegrator,
    TemVae,
    WalkPrior,
)
from tem_vae.studies.benchmarks.measure import describe_machine, interleave, ratio, threads, write_results
from tem_vae.text import markdown_table

_FEATURES, _ACTIONS, _CODE_DIM = 64, 5, 128
_LONGEST_DENSE = 4096
_SHORT_WALK = 64
_ROUNDS = 5


@dataclass(frozen=True)
class LongWalk:
    """What a training step of one walk takes, on one thread.

    Attributes:
        steps: Of the walk.
        seconds: Of one update.
        mebibytes: The most memory that it held, above what the process held after a short walk.
        dense: How many times longer the log density alone takes from an array of all pairs, forward and
            backward, the median over rounds; None where that array would be too large.
    """

    steps: int
    seconds: float
    mebibytes: float
    dense: float | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    lengths = (1024, 4096, 16384, 65536)
    parser.add_argument("--steps", type=int, nargs="+", default=lengths, help="lengths of walks")
    parser.add_argument("--output", type=Path, help="folder for memory.json and memory.md")


def run(arguments: argparse.Namespace) -> None:
    """Measure every length in a process of its own, print the table, and write it if asked."""
    start = multiprocessing.get_context("spawn")
    walks = []
    for steps in arguments.steps:
        with start.Pool(1) as process:
            walks.append(process.apply(measure_walk, (steps,)))
    results = {"walks": [asdict(walk) for walk in walks], "memory_exponent": memory_exponent(walks)}
    write_results("memory", render(walks), results, arguments.output)


def measure_walk(steps: int) -> LongWalk:
    """One update of the default architecture on one walk, then the density beside its dense rival."""
    with threads(1):
        model = build_default()
        update(model, _SHORT_WALK)
        before = _most_memory()
        start = time.process_time()
        update(model, steps)
        seconds, mebibytes = time.process_time() - start, _most_memory() - before
        dense = _dense_ratio(model, steps) if steps <= _LONGEST_DENSE else None
    return LongWalk(steps, seconds, mebibytes, dense)


def build_default() -> TemVae:
    """The default architecture with fresh weights."""
    torch.manual_seed(0)
    return TemVae(
        MlpEncoder((_FEATURES,), 256, _CODE_DIM),
        Pseudometric(_CODE_DIM, 16, tau=1e-3, normalize=True),
        PathIntegrator(_ACTIONS, channels=64, initial_rotation=0.1),
        MemoryPrior(_CODE_DIM, scale=4.0, initial_precision=10.0, prototypes=64),
        MlpDecoder(16, 256, (_FEATURES,), GaussianLikelihood(1.0)),
        scale=4.0,
    )


def update(model: TemVae, steps: int) -> None:
    """One update by a random walk."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loss = -model.bound(*_infer(model, steps)).elbo.mean()
    torch.autograd.backward(loss)
    optimizer.step()
    optimizer.zero_grad()


def memory_exponent(walks: list[LongWalk]) -> float:
    """The slope of log memory over log steps, by least squares; NaN for fewer than two lengths."""
    points = [(math.log(walk.steps), math.log(max(walk.mebibytes, 1e-3))) for walk in walks]
    if len(points) < 2:
        return math.nan
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def render(walks: list[LongWalk]) -> str:
    """The page with the table."""
    rows = [
        [
            f"{walk.steps:,}",
            f"{walk.seconds:.2f} s",
            f"{walk.mebibytes:.0f} MiB",
            f"× {walk.dense:.1f}" if walk.dense is not None else "",
        ]
        for walk in walks
    ]
    return (
        "# Memory: a training step over one long walk\n\n"
        "<!-- Written by scripts/benchmark.py memory; edit that, not this. -->\n\n"
        f"On {describe_machine(torch.device('cpu'))}, one thread, CPU seconds. Memory is the most that was "
        "held above what the process held before. The last column says how many times longer the log density "
        "takes from an array of all pairs, forward and backward.\n\n"
        + markdown_table(["steps", "update", "memory", "all pairs"], rows)
        + f"\nMemory grows with the {memory_exponent(walks):.2f}th power of the number of steps.\n"
    )


def _infer(model: TemVae, steps: int) -> tuple[torch.Tensor, Inference]:
    percepts = torch.randn(1, steps, _FEATURES)
    return percepts, model.infer(percepts, torch.randint(_ACTIONS, (1, steps - 1)))


def _dense_ratio(model: TemVae, steps: int) -> float:
    _, inference = _infer(model, steps)
    prior, factorization = inference.prior, model.metric.factorize()
    assert isinstance(prior, WalkPrior)
    whitened = inference.posterior.whitened_center.detach()
    codes = inference.codes.detach().requires_grad_()

    def ours() -> None:
        near = prior.near.queries.detach()
        fresh = model.memory(near, codes, factorization, inference.seen)
        torch.autograd.backward(fresh.log_prob_whitened(whitened).sum(), inputs=[codes])

    def all_pairs() -> None:
        fresh = model.memory(prior.near.queries.detach(), codes, factorization, inference.seen)
        assert isinstance(fresh, WalkPrior)
        mixture = NeighborhoodMixture(
            fresh.log_weights, fresh.components, fresh.emission.null, validate_args=False
        )
        torch.autograd.backward(mixture.log_prob_whitened(whitened).sum(), inputs=[codes])

    seconds = interleave({"ours": ours, "all pairs": all_pairs}, _ROUNDS, whitened.device)
    return ratio(seconds["all pairs"], seconds["ours"])


def _most_memory() -> float:
    """The most that this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
