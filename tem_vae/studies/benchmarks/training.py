"""Training through Lightning compared with a bare PyTorch loop: same model, same data.

The bare training loop, one update after the other, is `train_bare`.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir
from rich.console import Console
from rich.table import Table

from tem_vae.config.build import build_model
from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, WalkSource
from tem_vae.evaluation.tester import build_scores
from tem_vae.runs.allocation import keep_freed_memory
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.terminal import quiet_lightning
from tem_vae.scores.prediction import MODEL
from tem_vae.studies.benchmarks.measure import describe_machine, ratio, threads
from tem_vae.training.callbacks.clock import TrainingClock
from tem_vae.training.datamodule import build_data
from tem_vae.training.loggers import HistoryLogger
from tem_vae.training.module import TemVaeModule, mean_over_steps
from tem_vae.training.optimizer import build_optimizer
from tem_vae.training.run import build_trainer

_WARM_UP = 3


@dataclass(frozen=True)
class BareSeconds:
    """Where the time of a bare loop goes, in seconds.

    Attributes:
        total: Time of all updates.
        data: The part of it spent waiting for batches.
    """

    total: float
    data: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("--updates", type=int, default=40, help="updates of each contender in a round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; each times every contender once")
    parser.add_argument("--output", type=Path, help="a folder for training.json")
    parser.add_argument("overrides", nargs="*", help="configuration overrides, as for scripts/train.py")


def run(arguments: argparse.Namespace) -> None:
    """Time both contenders round by round on one thread, and print their ratio."""
    config = compose_training(arguments.updates, arguments.overrides)
    updates = arguments.updates
    quiet_lightning()
    with threads(1):
        train_bare(config, _WARM_UP)
        rounds = [(train_bare(config, updates), train_lightning(config)) for _ in range(arguments.rounds)]
    bare = [seconds.total for seconds, _ in rounds]
    lightning = [seconds for _, seconds in rounds]
    walk_steps = updates * config.data.batch_size * config.data.walk_length
    results = {
        "bare_steps_per_second": walk_steps / statistics.median(bare),
        "lightning_steps_per_second": walk_steps / statistics.median(lightning),
        "lightning_over_bare": ratio(bare, lightning),
        "steps_per_second_of_waiting": walk_steps / statistics.median(seconds.data for seconds, _ in rounds),
        "share_waiting_for_data": statistics.median(seconds.data / seconds.total for seconds, _ in rounds),
    }
    _print(results, arguments)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "training.json").write_text(
            json.dumps(results, indent=2) + "\n", encoding="utf-8"
        )


def train_bare(config: TrainConfig, updates: int) -> BareSeconds:
    """The training loop without Lightning, as one would write it by hand: read it to see what an update is.

    Model, data, optimizer, schedule and clipping are those of ``scripts/train.py``. That script runs the same
    steps through `TemVaeModule`, and adds validation, logs, checkpoints and the schedule of forgetting.
    """
    keep_freed_memory()
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    model = _build_module(config, data.train).model
    optimizer, schedule = build_optimizer(model, config.optimizer, updates)
    batches = TimedBatches(data.train_dataloader())
    start = time.perf_counter()
    for walks in islice(batches, updates):
        terms = model.elbo(walks.percepts, walks.actions)
        loss = -mean_over_steps(terms.elbo, walks.seen)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.trainer.gradient_clip_val)
        optimizer.step()
        schedule.step()
    return BareSeconds(time.perf_counter() - start, batches.waiting)


class TimedBatches:
    """Batches of walks, and how long their user has waited for them.

    Attributes:
        waiting: Seconds so far.
    """

    def __init__(self, batches: Iterable[Walks]) -> None:
        self._batches = batches
        self.waiting = 0.0

    def __iter__(self) -> Iterator[Walks]:
        batches = iter(self._batches)
        while True:
            asked = time.perf_counter()
            walks = next(batches, None)
            self.waiting += time.perf_counter() - asked
            if walks is None:
                return
            yield walks


def train_lightning(config: TrainConfig) -> float:
    """Seconds of ``config.trainer.max_steps`` updates through Lightning, with the history logged."""
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    module = _build_module(config, data.train)
    clock = TrainingClock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(config, [clock], [HistoryLogger(RunFolder(Path(folder)).history)])
        trainer.limit_val_batches = 0
        trainer.fit(module, data)
    return clock.seconds


def compose_training(updates: int, overrides: list[str]) -> TrainConfig:
    """The configuration of ``scripts/train.py`` with so many updates and no logs."""
    fixed = [f"trainer.max_steps={updates}", "logger=none"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=[*fixed, *overrides]), TrainConfig)


def _build_module(config: TrainConfig, walks: WalkSource) -> TemVaeModule:
    torch.manual_seed(config.seed)
    model = build_model(config.model, config.data.walk_shape)
    scores = build_scores(walks, MODEL)
    return TemVaeModule(model, config.optimizer, scores, config.seed, config.trainer.log_every_n_steps)


def _print(results: dict[str, float], arguments: argparse.Namespace) -> None:
    machine = describe_machine(torch.device("cpu"))
    table = Table(
        title=f"Training, one thread, {arguments.rounds} rounds of {arguments.updates} updates, {machine}"
    )
    table.add_column("measured")
    table.add_column("value", justify="right")
    table.add_row("bare loop, walk steps a second", f"{results['bare_steps_per_second']:,.0f}")
    table.add_row("through Lightning, walk steps a second", f"{results['lightning_steps_per_second']:,.0f}")
    table.add_row("Lightning over bare, median of rounds", f"{results['lightning_over_bare']:.3f}")
    table.add_row("walk steps made or read a second", f"{results['steps_per_second_of_waiting']:,.0f}")
    table.add_row("share of an update waiting for data", f"{results['share_waiting_for_data']:.1%}")
    Console().print(table)
