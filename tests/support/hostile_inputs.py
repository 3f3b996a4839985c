"""Checkpoints and world files as a stranger or a bad disk makes them, and what becomes of them.

``python tests/support/hostile_inputs.py --count 200`` loads them one by one, each in a process of its own
with bounded memory and time, and prints a table by kind. The exit status is 1 if any was not refused as it
should be: one sentence, within 5 s and 500 MB. Damage that touches nothing that is read may also be loaded,
if what is loaded is what was saved.
"""

import argparse
import io
import json
import os
import random
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from confined import Outcome, confined
from drawing import take_turns
from rich.console import Console
from rich.table import Table

from tem_vae.evaluation.trained import load
from tem_vae.worlds import read_graph

TESTS = Path(__file__).parents[1]
CHECKPOINT = TESTS / "evaluation" / "version_0_1_0" / "checkpoints" / "best.ckpt"
WORLD = TESTS.parent / "examples" / "worlds" / "figure_eight.json"


@dataclass(frozen=True)
class Hostile:
    """A file that must be refused.

    Attributes:
        kind: What was done to it.
        what: The same in detail.
        file: Where it is.
        may_load: Whether it may be loaded instead, as it was saved; of a world, also as another one.
    """

    kind: str
    what: str
    file: Path
    may_load: bool = False

    @property
    def is_world(self) -> bool:
        """Whether it is a world file, else a checkpoint."""
        return self.kind.startswith("world")

    def open(self) -> bool:
        """Load it; whether what is loaded is what was saved."""
        if self.is_world:
            read_graph(self.file)
            return True
        saved = torch.load(CHECKPOINT, weights_only=True)["state_dict"]
        weights = load(self.file).state_dict()
        return all(torch.equal(weights[name.removeprefix("model.")], saved[name]) for name in saved)

    def faults(self, outcome: Outcome) -> list[str]:
        """What is wrong with how it ended."""
        faults = outcome.faults()
        if outcome.loaded and not self.may_load:
            faults.append("loaded")
        if outcome.loaded and not outcome.same:
            faults.append("loaded to something else")
        return faults


def hostile_inputs(folder: Path, count: int, seed: int = 0) -> list[Hostile]:
    """Draw about as many hostile files of every kind.

    Args:
        folder: Where they are written.
        count: How many.
        seed: Decides what is drawn.
    """
    rng = random.Random(seed)
    makers = (bits, truncations, members, tensors, values, configurations, worlds)
    pools = [make(folder, random.Random(rng.random())) for make in makers]
    return take_turns(pools, count)


def bits(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """A few bits of the file the other way round."""
    for number in range(10_000):
        contents, flipped = bytearray(CHECKPOINT.read_bytes()), rng.choice((1, 1, 2, 8, 64))
        for _ in range(flipped):
            contents[rng.randrange(len(contents))] ^= 1 << rng.randrange(8)
        yield _written(folder / f"bits_{number}.ckpt", contents, "bits", f"{flipped} flipped", may_load=True)


def truncations(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """The file cut off anywhere, or lacking a piece."""
    for number in range(10_000):
        contents = CHECKPOINT.read_bytes()
        start = rng.choice((0, 1, len(contents) - 1, rng.randrange(len(contents))))
        end = start + 1 + rng.randrange(200) if number % 2 else len(contents)
        cut = contents[:start] + contents[end:]
        yield _written(folder / f"cut_{number}.ckpt", cut, "truncation", f"bytes {start} to {end}")


def members(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """An archive with members that torch does not write, or without some that it does."""
    changes: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
        "another member": lambda parts: parts | {"archive/code.py": b"import os"},
        "outside": lambda parts: parts | {"archive/../../planted": b"x"},
        "absolute": lambda parts: parts | {"/tmp/planted": b"x"},
        "capitals": lambda parts: parts | {"archive/DATA.PKL": parts["archive/data.pkl"]},
        "another folder": lambda parts: parts | {"other/data/0": b"x"},
        "without values": lambda parts: _without(parts, "archive/data.pkl"),
        "without byte order": lambda parts: _without(parts, "archive/byteorder"),
        "byte order": lambda parts: parts | {"archive/byteorder": b"big"},
        "empty": lambda parts: {},
        "many": lambda parts: parts | {f"archive/data/{n}": b"" for n in range(100, 30_000)},
        "values of 17 MiB": lambda parts: parts | {"archive/data.pkl": bytes(17 * 2**20)},
    }
    pool = list(changes.items())
    rng.shuffle(pool)
    for what, change in pool:
        yield _archive(folder / f"member_{what}.ckpt", change(_parts()), "member", what)
    yield _archive(folder / "compressed.ckpt", _parts(), "member", "compressed", zipfile.ZIP_DEFLATED)
    bomb = _parts() | {"archive/data/0": bytes(2**28)}
    yield _archive(folder / "bomb.ckpt", bomb, "member", "unpacks to 256 MiB", zipfile.ZIP_DEFLATED)
    for number in range(10_000):
        parts = _parts()
        first, second = rng.sample([name for name in parts if "/data/" in name], 2)
        removed = rng.random() < 0.5
        changed = _without(parts, first) if removed else parts | {first: parts[second] + bytes(4)}
        what = f"{first} {'missing' if removed else 'too long'}"
        # Nobody reads the moments of the optimiser to load a model.
        may_load = not any(first.endswith(f"/{key}") for key in range(15))
        yield _archive(folder / f"swapped_{number}.ckpt", changed, "member", what, may_load=may_load)


def tensors(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """Weights of another shape, kind or name, or that are not finite, in an archive that is whole."""

    def spoilt(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
        def spoil(weight: torch.Tensor) -> torch.Tensor:
            changed = weight.clone()
            changed.view(-1)[rng.randrange(changed.numel())] = value
            return changed

        return spoil

    changes: dict[str, Callable[[torch.Tensor], Any]] = {
        "nan": spoilt(float("nan")),
        "infinite": spoilt(-float("inf")),
        "beyond float32": lambda weight: weight.double() + 1e300,
        "complex": lambda weight: weight.to(torch.complex64),
        "whole numbers": lambda weight: weight.long(),
        "true or false": lambda weight: weight > 0,
        "another axis": lambda weight: weight[None],
        "twice": lambda weight: torch.cat([weight.reshape(-1)] * 2),
        "expanded": lambda weight: torch.zeros(1).expand(1_000_000, 1_000_000),
        "sparse": lambda weight: weight.reshape(1, -1).to_sparse(),
        "no tensor": lambda weight: 3.0,
        "a list": lambda weight: weight.tolist(),
    }
    for number in range(10_000):
        what, change = rng.choice(list(changes.items()))
        contents = _contents()
        name = rng.choice(list(contents["state_dict"]))
        contents["state_dict"][name] = change(contents["state_dict"][name])
        if number % 5 == 0:
            contents, what = _contents(), rng.choice(("missing", "renamed", "one more"))
            weight = contents["state_dict"].pop(name) if what != "one more" else torch.zeros(3)
            contents["state_dict"] |= {} if what == "missing" else {f"{name}_": weight}
        yield _saved(folder / f"tensor_{number}.ckpt", contents, "tensor", f"{name}: {what}")


def values(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """Pickles that run code, ask for memory or time, or hold something else."""
    bomb = b"\x80\x02)" + b"\x86".join([b"q\x00h\x00"] * 60)  # a tuple of itself twice, and so on: 2^60 parts
    pickles = {
        "runs code": b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00false\x85R.",
        "runs code by another way": b"\x80\x02c__builtin__\neval\nX\x01\x00\x00\x001\x85R.",
        "imports": b"\x80\x02cantigravity\nfly\n.",
        "makes an object": b"\x80\x02(i__builtin__\nobject\n.",
        "reserves memory": b"\x80\x02c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R.",
        "memo": b"\x80\x02}r\xff\xff\xff\xff.",
        "hash of a bomb": b"\x80\x02}" + bomb[2:] + b"K\x01s.",
        "colliding keys": b"\x80\x02}(" + _colliding(50_000) + b"u.",
        "text longer than the file": b"\x80\x02X\xff\xff\xff\x7fabc.",
        "deep": b"\x80\x02" + b"](" * 400_000 + b"e" * 400_000 + b".",
        "wide": b"\x80\x02](" + b"}" * 8_000_000 + b"e.",
        "nothing but marks": b"\x80\x02" + b"(" * 8_000_000,
        "stack empty": b"\x80\x02R.",
        "no end": b"\x80\x02}",
        "a later protocol": b"\x80\x05\x95\x01\x00\x00\x00\x00\x00\x00\x00}.",
        "a number": b"\x80\x02K\x07.",
        "an empty dictionary": b"\x80\x02}.",
        "cyclic": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    }
    for what, pickled in pickles.items():
        yield _archive(folder / f"{what}.ckpt", _parts() | {"archive/data.pkl": pickled}, "values", what)
    for what in ("tem_vae_config", "state_dict"):
        yield _saved(folder / f"no_{what}.ckpt", _without(_contents(), what), "values", f"no {what}")
        yield _saved(folder / f"text_{what}.ckpt", _contents() | {what: "x"}, "values", f"{what} is a text")
    for number in range(10_000):
        pickled = bytearray(_parts()["archive/data.pkl"])
        at = rng.randrange(len(pickled))
        pickled[at] = rng.randrange(256)
        parts = _parts() | {"archive/data.pkl": bytes(pickled)}
        what = f"byte {at} replaced, check sum right"
        yield _archive(folder / f"byte_{number}.ckpt", parts, "values", what, may_load=True)


def configurations(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """Stored configurations that ask for files, for memory or for nonsense."""
    pipe = folder / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    for what in (pipe, Path("/dev/zero"), Path("/etc/passwd")):
        world = {"kind": "graph", "file": str(what), "graph": None}
        config = _changed("data.world", world)
        yield _saved(folder / f"names_{what.name}.ckpt", config, "configuration", f"names {what}")
    million = [{"name": "x", "position": [0, 0]}] * 300_000
    world = {"kind": "graph", "file": "x", "graph": {"places": million, "links": [1] * 300_000}}
    yield _saved(folder / "places.ckpt", _changed("data.world", world), "configuration", "300,000 places")
    yield _saved(
        folder / "tags.ckpt", _changed("logger.tags", [1] * 200_000), "configuration", "200,000 tags"
    )
    module = {"source": "plugin", "target": "antigravity:Anything", "arguments": None}
    yield _saved(folder / "module.ckpt", _changed("data.percepts", module), "configuration", "names a module")
    keys = (
        "model.code_dim",
        "model.metric.rank",
        "model.encoder.hidden_dim",
        "model.decoder.hidden_dim",
        "model.path_integration.channels",
        "data.world.height",
        "data.percepts.dim",
        "data.percepts.classes",
        "data.test.walk_length",
        "data.test.walks",
    )
    wrong = (0, -1, 10**7, 10**12, 2**63, 10**300, float("nan"), "8", None, True, [[]], {"a": {}})
    for number in range(10_000):
        key, value = rng.choice(keys), rng.choice(wrong)
        what = f"{key} = {str(value)[:20]}"
        yield _saved(folder / f"configuration_{number}.ckpt", _changed(key, value), "configuration", what)


def worlds(folder: Path, rng: random.Random) -> Iterator[Hostile]:
    """World files that are too large, no files, cut off or damaged."""
    pipe = folder / "world_pipe.json"
    if not pipe.exists():
        os.mkfifo(pipe)
    yield Hostile("world", "a pipe", pipe)
    yield Hostile("world", "a device", Path("/dev/zero"))
    place = {"name": "x", "position": [0, 0]}
    texts = {
        "100 MB": "[" + " " * 100_000_000 + "]",
        "many places": json.dumps({"places": [place] * 80_000, "links": [1]}),
        "many wrong links": json.dumps({"places": [place] * 2, "links": [1] * 1_000_000}),
        "many keys": json.dumps(dict.fromkeys(map(str, range(300_000)), 0)),
        "deep": "[" * 1_000_000,
        "a long number": '{"places": ' + "1" * 100_000 + "}",
        "no text": "\udcff",
        "half a pair": '{"\\ud800": 1}',
    }
    for what, text in texts.items():
        contents = text.encode("utf-8", "surrogateescape")
        yield _written(folder / f"world_{what}.json", contents, "world", what)
    for number in range(10_000):
        contents = bytearray(WORLD.read_bytes())
        if number % 2:
            del contents[rng.randrange(len(contents) - 2) :]
        else:
            contents[rng.randrange(len(contents))] ^= 1 << rng.randrange(8)
        what = "cut off" if number % 2 else "a bit flipped"
        yield _written(folder / f"world_{number}.json", contents, "world", what, may_load=not number % 2)


def _colliding(count: int) -> bytes:
    """Keys whose hashes are all 0, each with the value None."""
    numbers = (((2**61 - 1) * n).to_bytes(11, "little", signed=True) for n in range(1, count + 1))
    return b"".join(b"\x8a\x0b" + number + b"N" for number in numbers)


def _parts() -> dict[str, bytes]:
    """The members of the good checkpoint."""
    with zipfile.ZipFile(CHECKPOINT) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _contents() -> dict[str, Any]:
    """The values of the good checkpoint."""
    contents: dict[str, Any] = torch.load(CHECKPOINT, weights_only=True)
    return contents


def _changed(key: str, value: object) -> dict[str, Any]:
    """The values of the good checkpoint with another value in its configuration."""
    contents = _contents()
    *sections, last = key.split(".")
    section = contents["tem_vae_config"]
    for name in sections:
        section = section[name]
    section[last] = value
    return contents


def _without(parts: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in parts.items() if other != name}


def _written(
    file: Path, contents: bytes | bytearray, kind: str, what: str, may_load: bool = False
) -> Hostile:
    file.write_bytes(contents)
    return Hostile(kind, what, file, may_load)


def _saved(file: Path, contents: dict[str, Any], kind: str, what: str) -> Hostile:
    buffer = io.BytesIO()
    torch.save(contents, buffer)
    return _written(file, buffer.getvalue(), kind, what)


def _archive(
    file: Path,
    parts: dict[str, bytes],
    kind: str,
    what: str,
    compression: int = zipfile.ZIP_STORED,
    may_load: bool = False,
) -> Hostile:
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, contents in parts.items():
            archive.writestr(name, contents)
    return Hostile(kind, what, file, may_load)


def main() -> int:
    """Run the campaign; the exit status is 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="decides what is drawn")
    arguments = parser.parse_args()
    table = Table("kind", "files", "refused", "loaded as saved", "slowest, CPU s", "most memory, MB", "wrong")
    found: dict[str, list[tuple[Outcome, list[str]]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for case in hostile_inputs(Path(folder), arguments.count, arguments.seed):
            outcome = confined(case.open)
            found[case.kind].append((outcome, case.faults(outcome)))
            for fault in found[case.kind][-1][1]:
                print(f"{case.kind}, {case.what}: {fault}: {outcome.message[-300:]}", flush=True)
    for kind, ends in found.items():
        outcomes = [outcome for outcome, _ in ends]
        refused, loaded = sum(not o.loaded for o in outcomes), sum(o.loaded for o in outcomes)
        slowest, most = max(o.seconds for o in outcomes), max(o.megabytes for o in outcomes)
        wrong = sum(bool(faults) for _, faults in ends)
        table.add_row(kind, *map(str, (len(ends), refused, loaded, f"{slowest:.2f}", f"{most:.0f}", wrong)))
    Console(width=110).print(table)
    return int(any(faults for ends in found.values() for _, faults in ends))


if __name__ == "__main__":
    sys.exit(main())
