"""A training step with parts of the model compiled by torch.compile, beside the same one without."""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch

from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.model import MemoryPrior, MlpDecoder, MlpEncoder, TemVae
from tem_vae.studies.benchmarks.measure import describe_machine, threads, write_results
from tem_vae.studies.benchmarks.training import compose_training
from tem_vae.text import markdown_table
from tem_vae.training.datamodule import build_data
from tem_vae.training.module import mean_over_steps

_WARM_UP = 2


@dataclass(frozen=True)
class Compiled:
    """A step with a part compiled, and what it took to compile it.

    Attributes:
        part: What was compiled.
        eager: Milliseconds of a step without, the median.
        compiled: With it.
        factor: How many times longer a step takes without, the median over pairs of steps.
        compiling: CPU-seconds of the first steps beyond those of later ones, the compiler's included.
    """

    part: str
    eager: float
    compiled: float
    factor: float
    compiling: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("--steps", type=int, default=20, help="steps of either kind, one after the other")
    parser.add_argument("--part", choices=_PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help="folder for compiled.json and compiled.md")
    parser.add_argument("overrides", nargs="*", help="configuration overrides, as for scripts/train.py")


def run(arguments: argparse.Namespace) -> None:
    """Measure every part in a process of its own, in which nothing is compiled yet."""
    if arguments.part:
        results = [measure(arguments.part, arguments.steps, arguments.overrides)]
        write_results(arguments.part, render(results), asdict(results[0]), arguments.output)
        return
    if not shutil.which(os.environ.get("CXX", "g++")):
        sys.exit("torch.compile needs a C++ compiler; install g++, or name one in the variable CXX.")
    results = [_measure_apart(part, arguments) for part in _PARTS]
    write_results("compiled", render(results), [asdict(each) for each in results], arguments.output)


def measure(part: str, steps: int, overrides: list[str]) -> Compiled:
    """Take steps of two equal models in turn, one of them with a part compiled."""
    config = compose_training(steps, overrides)
    data = build_data(config.data, config.seed, steps)
    eager, compiled = (_build(config.seed, config) for _ in range(2))
    _PARTS[part](compiled)
    batches = list(islice(data.train_dataloader(), _WARM_UP + 4))

    def step(model: TemVae, number: int) -> float:
        walks = batches[number % len(batches)]
        start = _cpu_seconds()
        terms = model.elbo(walks.percepts, walks.actions)
        model.zero_grad()
        torch.autograd.backward(-mean_over_steps(terms.elbo, walks.seen))
        return _cpu_seconds() - start

    with threads(1):
        first = sum(step(compiled, number) for number in range(_WARM_UP))
        for number in range(_WARM_UP):
            step(eager, number)
        pairs = [(step(eager, number), step(compiled, number)) for number in range(steps)]
    without, with_ = (1e3 * statistics.median(times) for times in zip(*pairs, strict=True))
    factor = statistics.median(theirs / ours for theirs, ours in pairs)
    return Compiled(part, without, with_, factor, first - _WARM_UP * with_ / 1e3)


def render(results: list[Compiled]) -> str:
    """The page with the table."""
    rows = [
        [
            each.part,
            f"{each.eager:.0f} ms",
            f"{each.compiled:.0f} ms",
            f"× {each.factor:.2f}",
            f"{each.compiling:.0f} s",
        ]
        for each in results
    ]
    return (
        "# A training step with compiled parts\n\n"
        "<!-- Written by scripts/benchmark.py compiled; edit that, not this. -->\n\n"
        f"On {describe_machine(torch.device('cpu'))}, one thread, CPU time. A factor is the median of the "
        "ratios of steps taken in turn.\n\n"
        + markdown_table(["compiled", "step without", "step with it", "factor", "to compile"], rows)
    )


def _measure_apart(part: str, arguments: argparse.Namespace) -> Compiled:
    with tempfile.TemporaryDirectory() as folder:
        own = {"TORCHINDUCTOR_CACHE_DIR": folder, "TORCHINDUCTOR_COMPILE_THREADS": "1"}
        command = [sys.executable, sys.argv[0], "compiled", "--part", part, "--output", folder]
        command += ["--steps", str(arguments.steps), *arguments.overrides]
        subprocess.run(command, env=os.environ | own, check=True, capture_output=True)
        return Compiled(**json.loads((Path(folder) / f"{part}.json").read_text(encoding="utf-8")))


def _build(seed: int, config: TrainConfig) -> TemVae:
    torch.manual_seed(seed)
    return build_model(config.model, config.data.walk_shape).train()


def _compile_networks(model: TemVae) -> None:
    assert isinstance(model.encoder, MlpEncoder)
    assert isinstance(model.decoder, MlpDecoder)
    model.encoder.compile(dynamic=False)
    model.decoder.layers.compile(dynamic=False)


def _compile_memory(model: TemVae) -> None:
    assert isinstance(model.memory, MemoryPrior)
    model.memory.compile(dynamic=False)


def _compile_all(model: TemVae) -> None:
    vars(model)["elbo"] = torch.compile(model.elbo, dynamic=False)


def _cpu_seconds() -> float:
    """Of this process and of the compilers that it started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


_PARTS: dict[str, Callable[[TemVae], None]] = {
    "encoder and decoder": _compile_networks,
    "memory prior": _compile_memory,
    "whole bound": _compile_all,
}
