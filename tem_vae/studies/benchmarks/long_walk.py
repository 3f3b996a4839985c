"""What an observer of bounded memory foresees on a walk without end."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from hydra import compose, initialize_config_dir
from rich.progress import track
from torch import Tensor

from tem_vae.config.command_line import CONF
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.problems import validate
from tem_vae.data import Walks, classify_steps
from tem_vae.evaluation.trained import TrainedRun, load_run
from tem_vae.evaluation.walk_plan import plan_walks
from tem_vae.model import Observer, TemVae
from tem_vae.scores.classifier import NearestPercept
from tem_vae.studies.benchmarks.measure import threads, write_results
from tem_vae.text import markdown_table


@dataclass(frozen=True)
class Part:
    """How well a part of a walk was foreseen.

    Attributes:
        capacity: The most memories that the observer kept.
        last: The last step of the part.
        moves: How many moves into places seen before it has.
        accuracy: The share of these whose class the decoded expectation has.
        ceiling: The same of the percept's own reconstruction.
        loss: Nats per move by which the decoded expectation is a worse prediction than that reconstruction.
    """

    capacity: int
    last: int
    moves: int
    accuracy: float
    ceiling: float
    loss: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark to a command line."""
    parser.add_argument("--capacities", type=int, nargs="+", default=(300, 1000), help="memories kept")
    parser.add_argument("--parts", type=int, default=5, help="into how many parts the walk is divided")
    parser.add_argument("--output", type=Path, help="folder for long_walk.json and long_walk.md")
    parser.add_argument(
        "overrides",
        nargs="+",
        help="as for scripts/evaluate.py: checkpoint=RUN data.walk_length=100000 data.world.height=16 ...",
    )


def run(arguments: argparse.Namespace) -> None:
    """Take an observer of each capacity on the same walk, print the table, and write it if asked."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = validate(
            compose("evaluate", overrides=[*arguments.overrides, "data.walks=1"]), EvaluateConfig
        )
    trained = load_run(config.checkpoint[0], config.plugins)
    plan = plan_walks(trained.config.data, config.data, plugins=config.plugins)
    walk = next(iter(plan.build_walks(trained.actions).loader()))
    with threads(1):
        parts = [
            part
            for capacity in arguments.capacities
            for part in observe_walk(trained, walk, capacity, arguments.parts)
        ]
    results = [asdict(part) for part in parts]
    write_results("long_walk", render(parts, " ".join(arguments.overrides)), results, arguments.output)


def observe_walk(trained: TrainedRun, walk: Walks, capacity: int, parts: int) -> list[Part]:
    """How well an observer foresees a walk, part by part.

    Args:
        trained: Whose model and classifier.
        walk: One walk whose places and classes are known.
        capacity: The most memories to keep.
        parts: Into how many parts the walk is divided.
    """
    assert walk.places is not None
    assert walk.classes is not None
    classifier = _classifier(trained)
    expected = _expect(trained.model, walk, capacity)
    own = trained.model.reconstruct(walk.percepts[0])
    scored = _Steps(
        classify_steps(walk.places).revisit[0],
        classifier(expected) == walk.classes[0],
        classifier(own) == walk.classes[0],
        _log_prob(trained.model, walk, own) - _log_prob(trained.model, walk, expected),
    )
    ends = [len(expected) * (part + 1) // parts for part in range(parts)]
    return [scored.part(capacity, first, last) for first, last in zip([0, *ends], ends, strict=False)]


class _Steps(NamedTuple):
    """Of every step of a walk, (time,): whether it counts, and how well it was foreseen and reconstructed."""

    counts: Tensor
    foreseen: Tensor
    reconstructed: Tensor
    loss: Tensor

    def part(self, capacity: int, first: int, last: int) -> Part:
        counts, *scores = (field[first:last] for field in self)
        accuracy, ceiling, loss = (float(score[counts].double().mean()) for score in scores)
        return Part(capacity, last, int(counts.sum()), accuracy, ceiling, loss)


def render(parts: Sequence[Part], overrides: str) -> str:
    """The page with the table."""
    rows = [
        [
            f"{part.capacity:,}",
            f"{part.last:,}",
            f"{part.moves:,}",
            f"{100 * part.accuracy:.1f} %",
            f"{100 * part.ceiling:.1f} %",
            f"{part.loss:.2f}",
        ]
        for part in parts
    ]
    header = ["memories kept", "steps up to", "revisits", "foreseen", "reconstructed", "loss, nats"]
    return (
        "# Observer: a walk without end\n\n"
        "<!-- Written by scripts/benchmark.py long_walk; edit that, not this. -->\n\n"
        f"`{overrides}`\n\n"
        "Foreseen: the class of the decoded expectation is right. Reconstructed: that of the percept's own "
        "reconstruction is. Loss: nats by which the expectation is a worse prediction of the percept than "
        "the reconstruction.\n\n" + markdown_table(header, rows)
    )


def _classifier(trained: TrainedRun) -> NearestPercept:
    references = trained.percepts and trained.percepts.references()
    assert references, "percepts of known classes are what this is measured on"
    return NearestPercept(torch.from_numpy(references.percepts), torch.from_numpy(references.classes))


def _expect(model: TemVae, walk: Walks, capacity: int) -> Tensor:
    """The decoded expectation at every step, (time, *percept_shape)."""
    observer = Observer(model, capacity)
    actions = [None, *walk.actions[0].tolist()]
    percepts = track(walk.percepts[0], f"{capacity:,} memories", transient=True)
    return torch.stack(
        [observer.observe(percept, action).percept for percept, action in zip(percepts, actions, strict=True)]
    )


def _log_prob(model: TemVae, walk: Walks, means: Tensor) -> Tensor:
    """Log density of the percepts of a walk around decoded ones, (time, *percept_shape), nats, (time,)."""
    log_prob: Tensor = model.decoder.likelihood.log_prob(walk.percepts[0].flatten(1), means.flatten(1))
    return log_prob
