"""Whether the numbers of recorded walks can be used, read piece by piece in bounded memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from tem_vae.data.recorded.contents import MOST_ACTION_NAMES, Array, StoredArray
from tem_vae.data.recorded.problems import WalkProblem, WalksFileError
from tem_vae.data.recorded.recording import RecordedWalk, Recording

MOST_PLACES = 2**31
MOST_CLASSES = 10_000
_PIECE = 16 * 2**20  # bytes read at once
_LARGEST_PERCEPT = float(np.finfo(np.float32).max)
_SAME_POSITION = 1e-3  # of the coordinates' size

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Facts:
    """What the numbers of recorded walks say about all of them.

    Attributes:
        n_actions: How many numbered actions there are; None where actions are vectors.
        n_classes: How many classes; None where some walk has none.
        missing: Share of the percepts looked at that are missing.
        fingerprint: Changes with any walk's name, length or actions.
    """

    n_actions: int | None
    n_classes: int | None
    missing: float
    fingerprint: str


def check_values(
    recording: Recording, most_bytes: int | None = None, advance: Advance = lambda steps: None
) -> tuple[Facts, list[WalkProblem]]:
    """Read the numbers of all walks.

    Args:
        recording: The walks.
        most_bytes: Of percepts at most so many are read, in pieces spread evenly; None reads all.
        advance: Called with the number of steps that were just read, to show progress.
    """
    digest, problems = hashlib.sha256(), []
    largest = {"actions": -1, "classes": -1}
    missing = looked_at = 0
    positions: dict[tuple[str, str], dict[int, Array]] = {}
    every = _spread(recording, most_bytes)
    for walk in recording.walks:
        digest.update(f"{walk.name}\0{len(walk)}\0".encode())
        try:
            found = _Findings()
            for name in ("actions", "places", "classes", "positions"):
                for start, piece in _pieces(getattr(walk, name)):
                    found.look_at(name, start, piece, recording)
                    if name in largest and piece.dtype.kind in "iu" and piece.size:
                        largest[name] = max(largest[name], int(piece.max()))
                    if name == "actions":
                        digest.update(np.ascontiguousarray(piece).tobytes())
            missing_before, looked_at_before = missing, looked_at
            for start, piece in _pieces(walk.percepts, every):
                missing, looked_at = missing + found.look_at_percepts(start, piece), looked_at + len(piece)
                advance(len(piece))
            if every == 1 and missing - missing_before == looked_at - looked_at_before:
                problems.append(
                    WalkProblem(walk.name, "percepts are missing at all steps; leave the walk out")
                )
            found.compare_positions(walk, positions.setdefault(walk.world, {}))
            problems += found.problems(walk.name)
        except WalksFileError as error:
            problems.append(WalkProblem(walk.name, str(error)))
    return _facts(recording, largest, missing / max(1, looked_at), digest.hexdigest()), problems


def _facts(recording: Recording, largest: dict[str, int], missing: float, fingerprint: str) -> Facts:
    n_actions = None
    if recording.action_dim is None:
        named = len(recording.action_names or ()) or recording.n_actions
        n_actions = named or largest["actions"] + 1
    has_classes = all(walk.classes is not None for walk in recording.walks)
    return Facts(n_actions, largest["classes"] + 1 if has_classes else None, missing, fingerprint)


def _spread(recording: Recording, most_bytes: int | None) -> int:
    """Of so many pieces one is read."""
    size = sum(_bytes_of_row(walk.percepts) * len(walk) for walk in recording.walks)
    return 1 if most_bytes is None else max(1, -(-size // most_bytes))


def _bytes_of_row(array: StoredArray) -> int:
    return max(1, array.dtype.itemsize * int(np.prod(array.shape[1:], dtype=np.float64)))


def _pieces(array: StoredArray | None, every: int = 1) -> Iterator[tuple[int, Array]]:
    """An array piece by piece, with where each begins; of so many rows one is read, spread evenly."""
    if array is None:
        return
    rows = max(1, min(_PIECE // _bytes_of_row(array), -(-array.shape[0] // every)))
    for start in range(0, array.shape[0], rows * every):
        yield start, array.read(start, start + rows)


class _Findings:
    """What is wrong in one walk: of each kind the first step, and how many there are."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._count: dict[str, int] = {}

    def problems(self, walk: str) -> Iterator[WalkProblem]:
        """One a kind."""
        for kind, first in self._first.items():
            yield WalkProblem(walk, first, self._count[kind] - 1)

    def note(self, kind: str, wrong: object, describe: Callable[[int], str]) -> None:
        """Note the steps at which something is wrong, (steps,) boolean."""
        steps = np.asarray(wrong, dtype=bool)
        if not steps.any():
            return
        if kind not in self._first:
            self._first[kind] = describe(int(steps.argmax()))
        self._count[kind] = self._count.get(kind, 0) + int(steps.sum())

    def look_at(self, name: str, start: int, piece: Array, recording: Recording) -> None:
        """Actions, places, classes or positions."""
        if piece.dtype.kind not in "iu":
            wrong = ~np.isfinite(piece.reshape(len(piece), -1)).all(axis=1)
            self.note(name, wrong, lambda at: f"{name}[{start + at}] = {_short(piece[at])}: must be finite")
            return
        if name == "positions":
            return
        named = len(recording.action_names or ()) or recording.n_actions or MOST_ACTION_NAMES
        limit = {"actions": named, "places": MOST_PLACES, "classes": MOST_CLASSES}[name]
        wrong = (piece < 0) | (piece >= limit)
        self.note(
            name,
            wrong,
            lambda at: f"{name}[{start + at}] = {piece[at]}: must be a whole number from 0 to {limit - 1:,}",
        )

    def look_at_percepts(self, start: int, piece: Array) -> int:
        """Percepts; returns how many are missing, which is NaN in all of their numbers."""
        if piece.dtype.kind != "f":
            return 0
        rows = piece.reshape(len(piece), -1)
        nan = np.isnan(rows)
        is_missing = nan.all(axis=1)
        partly = nan.any(axis=1) & ~is_missing
        self.note(
            "partly",
            partly,
            lambda at: (
                f"percepts[{start + at}] is not a number in {int(nan[at].sum())} of {rows.shape[1]} places: "
                "must be finite; a missing percept is NaN in all of them"
            ),
        )
        with np.errstate(invalid="ignore"):
            infinite = (np.abs(rows) > _LARGEST_PERCEPT).any(axis=1)
        self.note(
            "infinite",
            infinite,
            lambda at: (
                f"percepts[{start + at}] holds {_short(rows[at][np.abs(rows[at]) > _LARGEST_PERCEPT])}: "
                "must be finite, in the range of float32"
            ),
        )
        return int(is_missing.sum())

    def compare_positions(self, walk: RecordedWalk, known: dict[int, Array]) -> None:
        """A place has one position, in all walks of its world."""
        if walk.places is None or walk.positions is None:
            return
        rows = max(1, _PIECE // 64)
        for start in range(0, len(walk), rows):
            places = walk.places.read(start, start + rows)
            positions = walk.positions.read(start, start + rows).astype(np.float64)
            unique, first = np.unique(places, return_index=True)
            for place, at in zip(unique.tolist(), first.tolist(), strict=True):
                known.setdefault(place, positions[at])
            expected = np.stack([known[place] for place in unique.tolist()])[np.searchsorted(unique, places)]
            tolerance = _SAME_POSITION * (1 + np.abs(expected))
            moved = (np.abs(positions - expected) > tolerance).any(axis=1)
            self.note("moved", moved, partial(_describe_move, start, places, positions, expected))


def _describe_move(start: int, places: Array, now: Array, before: Array, at: int) -> str:
    return (
        f"positions[{start + at}] = {_short(now[at])}: place {places[at]} was at {_short(before[at])} "
        "before; a place has one position, in all walks of its world"
    )


def _short(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values.reshape(-1)[:4])
    return f"[{shown}{', ...' if values.size > 4 else ''}]"
