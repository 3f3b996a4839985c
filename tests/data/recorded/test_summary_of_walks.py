"""What is said of recorded walks: what is in them, and whether their actions can be represented."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded_walks import STEPS, lattice_walk, recorded, write_hdf5

from tem_vae.config.command_line import CONF
from tem_vae.data.recorded import examine, missing_for_training, open_recording, summarize
from tem_vae.data.recorded.commuting import Verdict

SCRIPT = CONF.parent / "scripts" / "check_walks.py"
Walk = dict[str, np.ndarray]


def rectangle(seed: int, bumps: bool = False, length: int = 300) -> Walk:
    """A walk in a room of 5 by 5 places; into its walls or not."""
    rng = np.random.default_rng(seed)
    position, positions, actions = np.array([2, 2]), [np.array([2, 2])], []
    while len(actions) < length - 1:
        action = rng.integers(4)
        led_to = position + STEPS[action]
        inside = ((led_to >= 0) & (led_to < 5)).all()
        if inside or bumps:
            actions.append(action)
            position = led_to if inside else position
            positions.append(position)
    return walk_of(np.array(actions), np.array(positions))


def turning(seed: int, length: int = 300) -> Walk:
    """Forward, left and right in a room; a place is a cell, whatever the heading."""
    rng = np.random.default_rng(seed)
    position, heading, positions = np.array([2, 2]), 0, [np.array([2, 2])]
    actions = rng.integers(0, 3, length - 1)
    for action in actions:
        heading = (heading + (0, 1, 3)[action]) % 4
        moved = position + ((0, 1), (1, 0), (0, -1), (-1, 0))[heading]
        position = np.clip(moved, 0, 5) if action == 0 else position
        positions.append(position)
    return walk_of(actions, np.array(positions))


def tree(seed: int, length: int = 300) -> Walk:
    """Left child, right child, parent."""
    rng = np.random.default_rng(seed)
    place, places, actions = 1, [1], []
    while len(actions) < length - 1:
        action = int(rng.choice([a for a in range(3) if (place > 1 if a == 2 else place < 16)]))
        place = place // 2 if action == 2 else 2 * place + action
        actions.append(action)
        places.append(place)
    walk = walk_of(np.array(actions), np.zeros((length, 2)))
    return {"percepts": walk["percepts"], "actions": walk["actions"], "places": np.array(places)}


def walk_of(actions: np.ndarray, positions: np.ndarray) -> Walk:
    percepts = np.random.default_rng(0).normal(size=(len(positions), 4))
    places = positions[:, 0] * 10 + positions[:, 1]
    return {"percepts": percepts, "actions": actions, "places": places, "positions": positions.astype(float)}


def judged(folder: Path, walks: list[Walk], names: list[str] | None = None) -> Verdict:
    named = {"action_names": names} if names else {}
    path = write_hdf5(folder / "walks.h5", {f"w{n}": walk for n, walk in enumerate(walks)}, **named)
    return summarize(examine(path))[1]


def without(walk: Walk, *fields: str) -> Walk:
    return {name: values for name, values in walk.items() if name not in fields}


def test_a_room_can_be_represented_by_places_and_by_positions(tmp_path: Path) -> None:
    for missing in ((), ("positions",), ("places",)):
        verdict = judged(tmp_path, [without(rectangle(seed), *missing) for seed in range(3)])
        assert verdict.can_be is True
        assert verdict.advice == []


def test_a_torus_can_be_represented_though_its_positions_jump(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [lattice_walk(300, seed) for seed in range(3)])
    assert verdict.can_be is True
    assert "The world may close, as a torus does." in " ".join(verdict.findings)


def test_walls_that_one_runs_into_are_named(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [rectangle(seed, bumps=True) for seed in range(3)])
    assert verdict.can_be is False
    assert "stayed at a place, such as action" in verdict.findings[0]
    assert "runs into a wall" in verdict.advice[0]


def test_turning_is_told_with_two_steps_that_contradict_each_other(tmp_path: Path) -> None:
    walks = [turning(seed) for seed in range(3)]
    names = ["forward", "left", "right"]
    by_places = judged(tmp_path, [without(walk, "positions") for walk in walks], names)
    by_positions = judged(tmp_path, [without(walk, "places") for walk in walks], names)
    for verdict in (by_places, by_positions):
        assert verdict.can_be is False
        assert "turn the walker" in verdict.advice[0]
        assert "forward" in verdict.findings[0]
    assert "led to place" in by_places.findings[0]
    walk, first, second = steps_in(by_positions.findings[0])
    moved = np.diff(walks[walk]["positions"], axis=0)
    assert not np.array_equal(moved[first], moved[second])


def steps_in(finding: str) -> tuple[int, int, int]:
    one, two = (part.split("]")[0] for part in finding.split("actions[")[1:])
    return int(finding.split("(w")[1].split(",")[0]), int(one), int(two)


def test_a_tree_cannot_be_represented(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [{**tree(seed), "world": 1} for seed in range(3)], ["left", "right", "up"])
    assert verdict.can_be is False
    assert "from place" in verdict.findings[0]
    assert "branches" in verdict.advice[0]


@pytest.mark.parametrize("turns", [False, True])
def test_real_valued_actions_are_fitted_by_a_linear_map(tmp_path: Path, turns: bool) -> None:
    rng = np.random.default_rng(0)
    actions = rng.normal(size=(500, 2))
    if turns:  # by how much to turn and how far to go
        heading = actions[:, 0].cumsum()
        moved = np.stack([np.cos(heading), np.sin(heading)], axis=1) * actions[:, 1:]
    else:
        moved = actions @ rng.normal(size=(2, 2))
    positions = np.vstack([np.zeros((1, 2)), moved.cumsum(axis=0)])
    walk = {"percepts": rng.normal(size=(501, 3)), "actions": actions, "positions": positions}
    assert judged(tmp_path, [walk]).can_be is not turns


def test_nothing_is_known_without_places_and_positions(tmp_path: Path) -> None:
    verdict = judged(tmp_path, [without(rectangle(0), "places", "positions")])
    assert verdict.can_be is None
    assert "record places or positions" in verdict.findings[0]


def test_the_opposites_of_a_lattice_are_found(tmp_path: Path) -> None:
    assert examine(recorded(tmp_path / "w.h5")).opposites == {0: 1, 1: 0, 2: 3, 3: 2}


def test_what_training_needs_is_said_before_it_begins(tmp_path: Path) -> None:
    assert missing_for_training(open_recording(recorded(tmp_path / "enough.h5", walks=3))) is None
    one = missing_for_training(open_recording(recorded(tmp_path / "one.h5", walks=1)))
    assert one is not None
    assert "record at least 3, or store a long one as several walks" in one
    walks = {f"w{n}": {**lattice_walk(9, n), "world": 1} for n in range(4)}
    one_world = missing_for_training(open_recording(write_hdf5(tmp_path / "world.h5", walks)))
    assert one_world is not None
    assert "split its 4 walks with data.split.by=walk" in one_world


def run_script(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), str(path)], capture_output=True, text=True)


def test_the_script_says_what_is_in_walks_or_what_is_wrong(tmp_path: Path) -> None:
    good = run_script(recorded(tmp_path / "w.h5"))
    assert good.returncode == 0, good.stderr
    described = ("375", "60 to 65 a walk", "(6,)", "0 and 1, 2 and 3 undo each other", "actions: yes")
    for expected in (*described, "can be trained on"):
        assert expected in good.stdout
    walk = lattice_walk(9)
    bad = write_hdf5(tmp_path / "bad.h5", {"a": walk, "b": {**walk, "actions": walk["actions"] - 9}})
    refusal = run_script(bad)
    assert refusal.returncode == 2
    assert "b: actions[0] = " in refusal.stderr
    assert "must be a whole number from 0 to 9,999 (7 more such steps)" in refusal.stderr
    assert refusal.stdout == ""
