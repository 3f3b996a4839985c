"""The page about recorded walks: its examples run as they stand."""

import re
from pathlib import Path

import numpy as np
import pytest
from recorded_walks import lattice_walk

from tem_vae.config.command_line import CONF
from tem_vae.data import load_walks, open_recording

PAGE = CONF.parent / "docs" / "data.md"


def test_its_examples_write_walks_that_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_hand, by_function, _ = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(by_hand.strip().splitlines()) <= 11  # ten, and the one between imports and the rest
    monkeypatch.chdir(tmp_path)
    mine = [lattice_walk(9 + n, seed=n) for n in range(3)]
    names = {"my_walks": [(walk["percepts"], walk["actions"], walk["places"]) for walk in mine]}
    exec(compile(by_hand, str(PAGE), "exec"), names)
    recording = open_recording(Path("my_walks.h5"))
    assert recording.action_names == ("up", "down", "left", "right")
    for walk, written in zip(recording.walks, mine, strict=True):
        assert np.array_equal(walk.percepts.read(0, 99), written["percepts"])
        assert walk.places is not None
        assert np.array_equal(walk.places.read(0, 99), written["places"])
    walks = load_walks("my_walks.h5")
    exec(compile(by_function, str(PAGE), "exec"), {"walks": walks})
    assert load_walks("copy.h5").percepts.equal(walks.percepts)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([a-z_./]+\.md)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
