"""Checkpoints as a stranger or a bad disk makes them are refused in a sentence, or are what was saved."""

import copy
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from hostile_inputs import (
    CHECKPOINT,
    Hostile,
    configurations,
    hostile_inputs,
    members,
    tensors,
    values,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import Malformed, refuse

from tem_vae.errors import CheckpointError
from tem_vae.evaluation.checkpoint import read_checkpoint
from tem_vae.evaluation.trained import load
from tem_vae.worlds.graph import MOST_LINKS, MOST_PLACES

Maker = Callable[[Path, random.Random], Iterator[Hostile]]

SIZE = CHECKPOINT.stat().st_size


def refusal(case: Hostile) -> str:
    """The message of a refusal; empty where it was loaded as it was saved."""
    try:
        assert case.open(), case
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("number", range(21))
def test_every_kind_of_hostile_file_is_refused_in_one_sentence(number: int, drawn: list[Hostile]) -> None:
    case = drawn[number]
    message = refusal(case)
    assert message or case.may_load, case
    assert "\n" not in message
    assert "weights_only" not in message
    assert len(message) < 2_000


@pytest.fixture
def rng() -> random.Random:
    return random.Random(0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Hostile]:
    return hostile_inputs(tmp_path_factory.mktemp("hostile"), count=21)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.integers(0, 8 * SIZE - 1), min_size=1, max_size=20, unique=True))
def test_bits_that_flip_are_noticed_or_change_nothing(flips: list[int], tmp_path: Path) -> None:
    contents = bytearray(CHECKPOINT.read_bytes())
    for flip in flips:
        contents[flip // 8] ^= 1 << flip % 8
    (tmp_path / "flipped.ckpt").write_bytes(contents)
    refusal(Hostile("bits", "flipped", tmp_path / "flipped.ckpt", may_load=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(length=st.integers(0, SIZE - 1))
def test_a_file_that_was_cut_off_is_refused(length: int, tmp_path: Path) -> None:
    (tmp_path / "cut.ckpt").write_bytes(CHECKPOINT.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=r"cut\.ckpt"):
        load(tmp_path / "cut.ckpt")


@pytest.mark.parametrize(
    ("make", "what", "complaint"),
    [
        (members, "unpacks to 256 MiB", "it is compressed"),
        (members, "outside", r"has a member 'archive/\.\./\.\./planted'"),
        (members, "empty", "it lacks byteorder, data.pkl"),
        (values, "runs code", r"it calls posix\.system"),
        (values, "makes an object", "holds the instruction b'i'"),
        (values, "nothing but marks", "take more than 1,500,000 instructions"),
        (values, "no state_dict", "it holds no weights"),
        (values, "no tem_vae_config", "was not written by this program"),
        (configurations, "names /dev/zero", "holds no valid configuration"),
        (configurations, "300,000 places", "holds no valid configuration"),
    ],
)
def test_the_message_says_what_is_wrong(
    make: Maker, what: str, complaint: str, tmp_path: Path, rng: random.Random
) -> None:
    case = next(case for case in make(tmp_path, rng) if case.what == what)
    with pytest.raises(CheckpointError, match=complaint):
        load(case.file)


def test_spoilt_weights_are_named(tmp_path: Path, rng: random.Random) -> None:
    complaints = {
        "nan": "holds numbers that are not finite",
        "beyond float32": "holds numbers that are not finite",
        "complex": "holds numbers of the kind ComplexFloatStorage",
        "whole numbers": "is in int64, which has no fractions",
        "another axis": r"has shape \(1,",
        "missing": "lacks the weight",
        "expanded": "is larger than its numbers",
    }
    for case in islice(tensors(tmp_path, rng), 60):
        name, what = case.what.split(": ")
        with pytest.raises(CheckpointError, match=complaints.get(what, "no whole checkpoint")) as error:
            load(case.file)
        assert what not in ("nan", "another axis", "missing") or name.removeprefix("model.") in str(
            error.value
        )


def with_config(tmp_path: Path, **sections: dict[str, object]) -> Path:
    """A checkpoint whose configuration is changed by sections of its model."""
    contents = copy.deepcopy(torch.load(CHECKPOINT, weights_only=True))
    for section, changes in sections.items():
        contents["tem_vae_config"]["model"][section] |= changes
    torch.save(contents, tmp_path / "changed.ckpt")
    return tmp_path / "changed.ckpt"


def test_a_configuration_can_only_ask_for_a_model_that_the_file_holds(tmp_path: Path) -> None:
    file = with_config(tmp_path, path_integration={"channels": 65_536})
    with pytest.raises(CheckpointError, match=r"rotations has shape \(5, 4\), and must have \(5, 65536\)"):
        load(file)
    contents = torch.load(CHECKPOINT, weights_only=True)
    contents["tem_vae_config"]["model"] |= {"code_dim": 4_096}
    contents["tem_vae_config"]["model"]["encoder"]["hidden_dim"] = 65_536
    torch.save(contents, file)
    with pytest.raises(CheckpointError, match="asks for a larger model than its weights are of"):
        load(file)


def test_the_largest_world_can_be_kept_in_a_checkpoint(tmp_path: Path) -> None:
    places = [{"name": f"place {n}", "position": [n, 0.5]} for n in range(MOST_PLACES)]
    ends = [(n, (n + step) % MOST_PLACES) for n in range(MOST_PLACES) for step in (1, -1)]
    actions = ("up", "down")
    links = [
        {"from": places[start]["name"], "action": actions[number % 2], "to": places[end]["name"]}
        for number, (start, end) in enumerate(ends)
    ]
    assert len(links) == MOST_LINKS
    contents = torch.load(CHECKPOINT, weights_only=True)
    data = contents["tem_vae_config"]["data"]
    for part in (data["test"], data["validation"]):
        graph = copy.deepcopy({"places": places, "links": links})
        part["world"] = {"kind": "graph", "file": "mine.json", "graph": graph}
    torch.save(contents, tmp_path / "large.ckpt")
    load(tmp_path / "large.ckpt")


def test_all_of_a_checkpoint_is_what_torch_reads() -> None:
    def compare(ours: object, theirs: object) -> None:
        assert type(ours) is type(theirs)
        if isinstance(ours, dict):
            assert list(ours) == list(theirs)
            for name in ours:
                compare(ours[name], theirs[name])
        elif isinstance(ours, list | tuple):
            assert len(ours) == len(theirs)
            for our, their in zip(ours, theirs, strict=True):
                compare(our, their)
        elif isinstance(ours, torch.Tensor):
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs)
        else:
            assert ours == theirs

    compare(read_checkpoint(CHECKPOINT).contents, torch.load(CHECKPOINT, weights_only=True))


@pytest.mark.parametrize("what", ["unpacks to 256 MiB", "nan"])
def test_the_script_refuses_with_status_2(what: str, tmp_path: Path, rng: random.Random) -> None:
    make = tensors if what == "nan" else members
    case = next(case for case in make(tmp_path, rng) if case.what.endswith(what))
    arguments = (f"checkpoint={case.file}",)
    refused = refuse(Malformed("checkpoint", case.file.name, arguments, "evaluate.py"), tmp_path)
    assert refused.status == 2
    assert "Traceback" not in refused.message
    assert case.file.name in refused.message
