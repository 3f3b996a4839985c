"""Worlds from a file, and what is said of files that describe none."""

import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tem_vae.data import GraphWorlds, RectangularWorlds
from tem_vae.worlds import NO_LINK, WorldFileError, WorldGraph, read_graph
from tem_vae.worlds.graph import MOST_ACTIONS, MOST_LINKS, MOST_PLACES

EXAMPLE = Path(__file__).parents[2] / "examples" / "worlds" / "figure_eight.json"


def triangle() -> dict[str, Any]:
    """Three places on a one-way round trip, and a way back from B to A."""
    return {
        "description": "a triangle",
        "places": [
            {"name": "A", "position": [0, 0]},
            {"name": "B", "position": [1, 0]},
            {"name": "C", "position": [0.5, 0.87]},
        ],
        "links": [
            {"from": "A", "action": "on", "to": "B"},
            {"from": "B", "action": "on", "to": "C"},
            {"from": "C", "action": "on", "to": "A"},
            {"from": "B", "action": "back", "to": "A"},
        ],
    }


def write(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "world.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_links_lead_where_the_file_says(tmp_path: Path) -> None:
    source = GraphWorlds(read_graph(write(tmp_path, triangle())))
    assert source.actions == ("stay", "on", "back")
    worlds = source.sample(2, np.random.default_rng(0))
    assert worlds.destinations.tolist() == 2 * [[[0, 1, NO_LINK], [1, 2, 0], [2, 0, NO_LINK]]]
    assert worlds.layout[1].tolist() == [[0, 0], [1, 0], [0.5, 0.87]]
    assert worlds.sizes.tolist() == [3, 3]


def test_a_graph_survives_being_stored_as_plain_values(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path, triangle()))
    assert WorldGraph.model_validate(graph.model_dump(mode="json")) == graph


def test_the_example_can_be_walked_by_a_model_of_rectangles() -> None:
    graph = read_graph(EXAMPLE)
    assert set(graph.actions) == set(RectangularWorlds.actions)
    displacements = {"stay": (0, 0), "up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0)}
    worlds = GraphWorlds(graph).sample(1, np.random.default_rng(0))
    start, action = np.nonzero(worlds.destinations[0] != NO_LINK)
    steps = worlds.layout[0, worlds.destinations[0, start, action]] - worlds.layout[0, start]
    np.testing.assert_array_equal(steps, [displacements[graph.actions[a]] for a in action])


def change(**changes: Any) -> dict[str, Any]:
    return triangle() | changes


def with_link(number: int, **changes: Any) -> dict[str, Any]:
    graph = triangle()
    graph["links"][number] |= changes
    return graph


def with_place(number: int, **changes: Any) -> dict[str, Any]:
    graph = triangle()
    graph["places"][number] |= changes
    return graph


MALFORMED: list[tuple[object, str]] = [
    ('{"places": [', r"is no JSON: Expecting value at line 1, column 13"),
    ("", r"is no JSON: Expecting value at line 1, column 1"),
    ([1, 2], r"the file must be an object"),
    ({}, r'the file has no "places"; the file has no "links"'),
    (change(edges=[]), r'the file has a key "edges", which means nothing here'),
    (change(places=[]), r"places: .*at least 2"),
    (change(links=[]), r"links: .*at least 1"),
    (change(places=["A", "B"]), r"places\[0\] must be an object"),
    (with_place(1, name=3), r"places\[1\].name: .*valid string"),
    (with_place(1, position=[0]), r"places\[1\].position has too few entries"),
    (with_place(1, position=["0", "1"]), r"places\[1\].position\[0\]: .*valid number"),
    (with_place(1, position=[float("nan"), 0]), r"places\[1\].position\[0\]: .*finite"),
    (with_place(1, name="A"), r'2 places have the name "A"; give each its own'),
    (with_link(0, to="D"), r'links\[0\] leads to "D", which is not among the places'),
    (with_link(2, **{"from": "D"}), r'links\[2\] leads from "D", which is not among the places'),
    (
        with_link(3, action="on"),
        r'links\[1\] and links\[3\] both leave "B" by "on"; an action leads to one place',
    ),
    (with_link(3, action="stay"), r'links\[3\] has the action "stay", which every place has by itself'),
    (with_link(3, action=""), r"links\[3\].action: .*at least 1 character"),
    (with_link(2, to="C"), r'from "A" to "C" there is no way, or none back; links lead one way'),
    ("[" * 100_000, r"nested too deeply"),
]


@pytest.mark.parametrize(("content", "complaint"), MALFORMED)
def test_a_malformed_file_is_refused_in_plain_sentences(
    tmp_path: Path, content: object, complaint: str
) -> None:
    file = write(tmp_path, content)
    with pytest.raises(WorldFileError, match=complaint) as error:
        read_graph(file)
    assert str(error.value).startswith(str(file))
    assert "\n" not in str(error.value)


def test_all_problems_are_named_at_once_and_many_are_counted(tmp_path: Path) -> None:
    graph = triangle()
    graph["links"] += [{"from": "A", "action": f"jump {n}", "to": "nowhere"} for n in range(9)]
    with pytest.raises(WorldFileError, match=r"links\[4\].*links\[8\].*and 4 more problems"):
        read_graph(write(tmp_path, graph))


def test_many_places_are_checked_quickly(tmp_path: Path) -> None:
    number = MOST_PLACES - 1  # where every name was compared with every other, this took seconds
    names = [f"place {n}" for n in range(number)]
    graph = {
        "places": [{"name": name, "position": [n, 0]} for n, name in enumerate([*names, "place 7"])],
        "links": [{"from": a, "action": "on", "to": b} for a, b in pairwise([*names, names[0]])],
    }
    file = write(tmp_path, graph)
    started = time.process_time()
    with pytest.raises(WorldFileError, match='no world: 2 places have the name "place 7"; give each'):
        read_graph(file)
    assert time.process_time() - started < 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldFileError, match=r"missing.json cannot be read: No such file"):
        read_graph(tmp_path / "missing.json")
    with pytest.raises(WorldFileError, match=r"cannot be read: Is a directory"):
        read_graph(tmp_path)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorldFileError, match="not text in UTF-8"):
        read_graph(file)


def ring(places: int, actions: int = 1) -> dict[str, Any]:
    """As many places in a circle; every action leads on."""
    return {
        "places": [{"name": f"{n}", "position": [n, 0]} for n in range(places)],
        "links": [
            {"from": f"{n}", "action": f"on {a}", "to": f"{(n + 1) % places}"}
            for n in range(places)
            for a in range(actions)
        ],
    }


def test_the_largest_world_is_read(tmp_path: Path) -> None:
    graph = read_graph(write(tmp_path, ring(MOST_PLACES, MOST_LINKS // MOST_PLACES)))
    assert (len(graph.places), len(graph.links)) == (MOST_PLACES, MOST_LINKS)
    assert len(read_graph(write(tmp_path, ring(3, MOST_ACTIONS))).actions) == MOST_ACTIONS + 1


@pytest.mark.parametrize(
    ("graph", "complaint"),
    [
        (ring(MOST_PLACES + 1), "there are 10,001 places, and a world may have at most 10,000"),
        (ring(5_001, 4), "there are 20,004 links, and a world may have at most 20,000"),
        (ring(3, MOST_ACTIONS + 1), "the links name 101 actions, and a world may have at most 100"),
        (change(places=[1] * 500_000), "there are 500,000 places"),
        (change(description="x" * 5 * 2**20), "cannot be read: it holds 5 MiB, and may hold at most 4 MiB"),
        ("1" * 5_000, "describes no world: a number in it has thousands of digits"),
    ],
)
def test_larger_worlds_are_refused_at_once(tmp_path: Path, graph: object, complaint: str) -> None:
    file = write(tmp_path, graph)
    started = time.process_time()
    with pytest.raises(WorldFileError, match=complaint):
        read_graph(file)
    assert time.process_time() - started < 1


def test_names_of_any_length_make_no_long_message(tmp_path: Path) -> None:
    with pytest.raises(WorldFileError) as error:
        read_graph(write(tmp_path, change(**{"x" * 1_000_000: 1})))
    assert len(str(error.value)) < 2_000


@pytest.mark.parametrize("kind", ["pipe", "device", "endless"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, kind: str) -> None:
    file = Path("/dev/zero") if kind == "device" else tmp_path / "world.json"
    if kind == "pipe":
        os.mkfifo(file)
    if kind == "endless":
        file.symlink_to("/dev/zero")
    with pytest.raises(WorldFileError, match=r"cannot be read: it is a pipe, a device or a socket"):
        read_graph(file)
