"""Malformed configurations, and what the scripts make of them.

``python tests/support/malformed_configurations.py --count 100`` runs them one by one and prints a table by
kind; the exit status is 1 if any was not refused as it should be: status 2, one message that names the
offending key, no traceback, nothing written. Of a sweep, one job of two is refused so: the other finishes,
and the sweep ends with status 1.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import annotated_types
import torch
from drawing import take_turns
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic import BaseModel
from refusals import Malformed, Refusal, refuse
from rich.console import Console
from rich.table import Table
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF
from tem_vae.config.fields import choose, sections_of
from tem_vae.config.training import TrainConfig


def malformed_configurations(count: int, folder: Path, seed: int) -> list[Malformed]:
    """Draw about as many malformed command lines of every kind.

    Args:
        count: How many.
        folder: Where the files are written that they name.
        seed: Decides what is drawn.
    """
    rng = random.Random(seed)
    pools = [
        list(pool)
        for pool in (
            misspelt_keys(rng),
            wrong_types(),
            out_of_range(),
            unknown_choices(),
            combinations(),
            files(folder),
            graphs(folder),
            jobs(),
        )
    ]
    for pool in pools:
        rng.shuffle(pool)
    return take_turns(map(reversed, pools), count)


def misspelt_keys(rng: random.Random) -> Iterator[Malformed]:
    """Keys with two letters exchanged or one dropped, added or not; and keys in no section at all."""
    for key, value in leaves(defaults()):
        name = key.rpartition(".")[2]
        at = rng.randrange(1, len(name))
        wrong = key.removesuffix(name) + (name[:at] + name[at + 1 :] if rng.random() < 0.5 else name + "s")
        prefix = rng.choice(["", "+", "++"])
        yield Malformed("misspelt key", wrong, (f"{prefix}{wrong}={_write(value)}",))


def wrong_types() -> Iterator[Malformed]:
    """A word for a number, a fraction for a count, a list or a section for a value, a value for a section."""
    for key, value in leaves(defaults()):
        wrong: list[str] = ["{a:1}"]
        if isinstance(value, bool):
            wrong += ["maybe", "2"]
        elif isinstance(value, int):
            wrong += ["many", "1.5", "true", "[1,2,3]", "null"]
        elif isinstance(value, float):
            wrong += ["much", "true", "[1.0]", "null"]
        yield from (Malformed("wrong type", key, (f"{key}={text}",)) for text in wrong)
    for section in ("model", "model.metric", "data.world", "trainer", "optimizer"):
        yield Malformed("wrong type", section, (f"{section}=3",))


def out_of_range() -> Iterator[Malformed]:
    """Just beyond every bound that the schema states, and what is not finite."""
    for key, annotation, metadata in fields(TrainConfig, defaults()):
        for bound in metadata:
            match bound:
                case annotated_types.Ge(ge=int() | float() as limit):
                    yield Malformed("out of range", key, (f"{key}={limit - 1}",))
                case annotated_types.Gt(gt=limit):
                    yield Malformed("out of range", key, (f"{key}={limit}",))
                case annotated_types.Le(le=int() | float() as limit):
                    yield Malformed("out of range", key, (f"{key}={limit + 1}",))
                case annotated_types.Lt(lt=limit):
                    yield Malformed("out of range", key, (f"{key}={limit}",))
        if annotation is float:
            yield Malformed("not finite", key, (f"{key}=nan",))
            yield Malformed("not finite", key, (f"{key}=inf",))


def unknown_choices() -> Iterator[Malformed]:
    """Names of what does not exist, in single runs and in sweeps."""
    for group in ("logger", "experiment", "sweep", "model", "data", "trainer", "optimizer", "data/percepts"):
        yield Malformed("unknown choice", group, (f"{group}=nonesuch",))
    for group in ("experiment", "logger", "data/percepts"):
        yield Malformed("unknown choice", "nonesuch", ("-m", f"{group}=nonesuch,another"))
    for key in (
        "data.percepts.source",
        "data.world.kind",
        "logger.kind",
        "trainer.precision",
        "trainer.accelerator",
        "model.encoder.kind",
        "objective",
    ):
        yield Malformed("unknown choice", key, (f"{key}=nonesuch",))
    yield Malformed("unknown choice", "objective", ("objective=test/elbo",))
    yield Malformed("unknown choice", "experiment", ("experiment=null",))
    # Without data nothing else of data could be overridden: Hydra could compose no job.
    yield Malformed("unknown choice", "data", ("-m", "data=nonesuch,lattice", "data.walk_length=7"))


def combinations() -> Iterator[Malformed]:
    """Values that are right alone and cannot work together."""
    together = {
        "rank": ("model.metric.rank=64", "model.code_dim=32"),
        "code_dim": ("model.encoder.kind=identity", "model.code_dim=32"),
        "relevant_dim": ("data/percepts=symbols", "data.percepts.relevant_dim=200"),
        "classes": ("data.percepts.classes=9",),
        "data.test.walks": ("data.test.walks=2", "trainer.devices=3"),
        "run_dir": ("resume=true",),
        "data.world.height": ("data.world.height=[8,5]",),
        "data.test.world.width": ("data.test.world.width=[4,2]",),
        "data.world.width": ("data.world.width=[0,3]",),
        "data.policy.momentum": ("data.policy.momentum=0.1,0.9",),
        "model.metric.tau": ("model.metric.tau=-1", "resume=true", "model.code_dim=8"),
        "seed": ("seed=-1", "+seeds=2", "logger=nonesuch"),
        "data": ("data=ring", "data.test.world={kind:hexagonal,radius:3}"),
    }
    for named, arguments in together.items():
        yield Malformed("combination", named, arguments)


def files(folder: Path) -> Iterator[Malformed]:
    """Files and folders that are missing, cut off, of another kind or not to be written to."""
    (folder / "text").write_text("neither a checkpoint nor a world")
    (folder / "empty.ckpt").touch()
    torch.save({"state_dict": {}}, folder / "foreign.ckpt")
    foreign = (folder / "foreign.ckpt").read_bytes()
    (folder / "cut.ckpt").write_bytes(foreign[:-200])
    (folder / "flipped.ckpt").write_bytes(foreign.replace(b"state_dict", b"state_dicT", 1))
    damaged = folder / "damaged" / "checkpoints"
    damaged.mkdir(parents=True)
    (damaged / "last.ckpt").write_bytes((folder / "cut.ckpt").read_bytes())
    experiments = folder / "conf" / "experiment"
    experiments.mkdir(parents=True)
    (experiments / "misspelt.yaml").write_text("# @package _global_\nmodel:\n  metric:\n    rnak: 3\n")
    (experiments / "unreadable.yaml").write_text("# @package _global_\nmodel: {metric: [\n")
    checkpoints = ("nowhere.ckpt", "empty.ckpt", "cut.ckpt", "flipped.ckpt", "foreign.ckpt")
    for name in ("nowhere", "text", "conf", *checkpoints):
        yield Malformed("file", name, (f"checkpoint={folder / name}",), "evaluate.py")
    yield Malformed("file", "checkpoint", (), "evaluate.py")
    yield Malformed("file", "run_dir", (f"run_dir={folder / 'text'}",))
    yield Malformed("file", "run_dir", (f"run_dir={folder / 'text' / 'below'}",))
    yield Malformed("file", "damaged", (f"run_dir={folder / 'damaged'}",))
    yield Malformed("file", "last.ckpt", (f"run_dir={folder / 'damaged'}", "resume=true"))
    (folder / "dangling").symlink_to(folder / "nothing")
    yield Malformed("file", "dangling", (f"run_dir={folder / 'dangling'}",))
    yield Malformed("file", "255 bytes", (f"run_dir={folder / ('long' * 75)}",))
    yield Malformed("file", "the name is empty", ("run_dir=",))
    yield Malformed("file", "the name is empty", ("run_dir=",), "evaluate.py")
    yield Malformed("file", "rnak", ("--config-dir", str(folder / "conf"), "experiment=misspelt"))
    unreadable = ("--config-dir", str(folder / "conf"), "experiment=unreadable")
    yield Malformed("file", "unreadable", unreadable)
    yield Malformed("file", "unreadable", ("-m", *unreadable, "seed=0,1"))
    yield Malformed("file", "unreadable", ("-m", *unreadable[:2], "experiment=symbols,unreadable"))


def graphs(folder: Path) -> Iterator[Malformed]:
    """World files that are missing, no JSON, or describe no world, in training and in evaluation."""
    places = [{"name": name, "position": [x, 0]} for x, name in enumerate("AB")]
    there, back = ({"from": a, "action": "on", "to": b} for a, b in ("AB", "BA"))
    contents: dict[str, object] = {
        "empty.json": {},
        "list.json": [1, 2],
        "trap.json": {"places": places, "links": [there]},
        "twice.json": {"places": places, "links": [there, back, back]},
        "elsewhere.json": {"places": places, "links": [there, back | {"to": "C"}]},
        "misspelt.json": {"places": places, "link": [there, back]},
        "nan.json": {"places": [places[0], {"name": "B", "position": [float("nan"), 0]}], "links": [there]},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content))
    (folder / "cut.json").write_text('{"places": [')
    (folder / "binary.json").write_bytes(bytes(range(128, 256)))
    for name in (*contents, "cut.json", "binary.json", "nowhere.json"):
        file = f"data.world.file={folder / name}"
        yield Malformed("world file", name, ("data=graph", file))
        yield Malformed("world file", name, ("data.world.kind=graph", file), "evaluate.py")


def jobs() -> Iterator[Malformed]:
    """Sweeps of two short jobs, one of which cannot be run."""
    for named, sweep in (
        ("experiment = nonesuch", "experiment=ablation/none,nonesuch"),
        ("data/percepts = nonesuch", "data/percepts=nonesuch,digits"),
        ("metric.rank = 1000", "model.metric.rank=4,1000"),
        ("optimizer.learning_rate = -1", "optimizer.learning_rate=-1,1e-3"),
        ("trainer.precision = nonesuch", "trainer.precision=32-true,nonesuch"),
        ("data.policy.momentum = NaN", "data.policy.momentum=nan,0.5"),
    ):
        arguments = ("-m", *SHORT_RUN, "trainer.max_steps=1", sweep)
        yield Malformed("job of a sweep", named, arguments, in_sweep=True)


def defaults() -> dict[str, Any]:
    """The configuration of a default run."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        plain: Any = OmegaConf.to_container(compose("train"))
    return dict(plain)


def leaves(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """All keys that hold values, with the values."""
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def fields(
    model: type[BaseModel], values: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, list[Any]]]:
    """Key, type and bounds of all fields that hold values."""
    for name, field in model.model_fields.items():
        value = values.get(name)
        sections = sections_of(field.annotation)
        section = choose(sections, value)
        if section and isinstance(value, Mapping):
            yield from fields(section, value, f"{prefix}{name}.")
        elif not sections:
            yield f"{prefix}{name}", field.annotation, field.metadata


def _write(value: object) -> str:
    """As an override has it."""
    return json.dumps(value).replace(" ", "")


def main() -> int:
    """Run all, print the table; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="malformed_"))
    refused: dict[str, list[Refusal]] = defaultdict(list)
    wrong = []
    for case in malformed_configurations(arguments.count, folder, arguments.seed):
        refusal = refuse(case, folder)
        refused[case.kind].append(refusal)
        if faults := refusal.faults(case):
            wrong.append(f"{case.script} {' '.join(case.arguments)}: {', '.join(faults)}")
            print(wrong[-1], refusal.message, sep="\n", flush=True)
    table = Table("kind", "configurations", "seconds, median", "longest", "of the processor, longest")
    for kind, refusals in sorted(refused.items()):
        seconds = [refusal.seconds for refusal in refusals]
        longest = max(refusal.cpu_seconds for refusal in refusals)
        table.add_row(
            kind,
            str(len(seconds)),
            f"{statistics.median(seconds):.1f}",
            f"{max(seconds):.1f}",
            f"{longest:.1f}",
        )
    Console().print(table)
    print(f"{len(wrong)} not refused as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
