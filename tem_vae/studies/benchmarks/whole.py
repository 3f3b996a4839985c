"""Where the CPU time of a whole run goes: start, training with its validations, closing test."""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import lightning as L
import torch
from hydra import compose, initialize_config_dir

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.evaluation.tester import score
from tem_vae.studies.benchmarks.measure import describe_machine, write_results
from tem_vae.text import markdown_table
from tem_vae.training.run import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("--output", type=Path, help="folder for whole.json and whole.md")
    parser.add_argument("overrides", nargs="*", help="configuration overrides, as for scripts/train.py")


def run(arguments: argparse.Namespace) -> None:
    """Train and test once, in a folder that is removed, and print the parts, imports included."""
    parts = measure_parts(arguments.overrides)
    write_results("whole", render(parts), parts, arguments.output)


def measure_parts(overrides: list[str]) -> dict[str, float]:
    """CPU-seconds of the parts of a run, the last of them being the whole of this process so far."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = validate(compose("train", overrides=["logger=none", *overrides]), TrainConfig)
    parts = {"updates and validations": 0.0, "closing test": 0.0}
    fit = _timed(L.Trainer.fit, parts, "updates and validations")
    test = _timed(score, parts, "closing test")
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(L.Trainer, "fit", fit),
        patch("tem_vae.training.run.score", test),
    ):
        train(config, Path(folder) / "run")
    whole = time.process_time()
    return {"start and end": whole - sum(parts.values()), **parts, "whole process": whole}


def render(parts: dict[str, float]) -> str:
    """The page with the table."""
    whole = parts["whole process"]
    rows = [[name, f"{seconds:.1f} s", f"{seconds / whole:.0%}"] for name, seconds in parts.items()]
    return (
        "# Where the time of a run goes\n\n"
        "<!-- Written by scripts/benchmark.py whole; edit that, not this. -->\n\n"
        f"On {describe_machine(torch.device('cpu'))}; CPU seconds of one process.\n\n"
        + markdown_table(["part", "CPU time", "share"], rows)
    )


def _timed(function: Callable[..., Any], parts: dict[str, float], name: str) -> Callable[..., Any]:
    @wraps(function)
    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            parts[name] += time.process_time() - start

    return timed
