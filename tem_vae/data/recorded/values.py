"""Whether the numbers of recorded walks can be used, read piece by piece in bounded memory."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tem_vae.data.recorded.contents import MOST_ACTION_NAMES, Array, StoredArray
from tem_vae.data.recorded.place_positions import PlacePositions
from tem_vae.data.recorded.problems import WalkProblem, WalksFileError
from tem_vae.data.recorded.recording import Recording

MOST_PLACES = 2**31
MOST_CLASSES = 10_000
_PIECE = 16 * 2**20  # bytes read at once
_LARGEST_PERCEPT = float(np.finfo(np.float32).max)

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Facts:
    """What the numbers of recorded walks say about all of them.

    Attributes:
        n_actions: How many numbered actions there are; None where actions are vectors.
        n_classes: How many classes; None where some walk has none.
        missing: Share of the percepts looked at that are missing: one of their numbers is NaN, or all are.
        partly_missing: Share of them of which some numbers are NaN, and not all.
        places_are_bins: Whether walkers are at several positions in one place.
        fingerprint: Changes with any walk's name, length or actions.
    """

    n_actions: int | None
    n_classes: int | None
    missing: float
    partly_missing: float
    places_are_bins: bool
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
    seen = _Seen()
    positions = PlacePositions()
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
            of_walk = _Seen()
            for start, piece in _pieces(walk.percepts, every):
                of_walk += found.look_at_percepts(start, piece)
                advance(len(piece))
            if every == 1 and of_walk.missing == of_walk.steps:
                problems.append(WalkProblem(walk.name, _describe_missing(of_walk)))
            seen += of_walk
            positions.look_at(walk)
            problems += found.problems(walk.name)
        except WalksFileError as error:
            problems.append(WalkProblem(walk.name, str(error)))
    has_classes = all(walk.classes is not None for walk in recording.walks)
    facts = Facts(
        n_actions=_count_actions(recording, largest["actions"]),
        n_classes=largest["classes"] + 1 if has_classes else None,
        missing=seen.missing / max(1, seen.steps),
        partly_missing=seen.partly_missing / max(1, seen.steps),
        places_are_bins=positions.are_bins,
        fingerprint=digest.hexdigest(),
    )
    return facts, problems + positions.problems()


@dataclass
class _Seen:
    """At how many steps percepts were looked at, and how many of these are missing, wholly or partly."""

    steps: int = 0
    missing: int = 0
    partly_missing: int = 0

    def __iadd__(self, more: "_Seen") -> "_Seen":
        self.steps += more.steps
        self.missing += more.missing
        self.partly_missing += more.partly_missing
        return self


def _describe_missing(seen: _Seen) -> str:
    if seen.partly_missing:
        return (
            "percepts are missing at all steps, for a number of each is NaN; leave out the numbers that are "
            "not known, or the walk"
        )
    return "percepts are missing at all steps; leave the walk out"


def _count_actions(recording: Recording, largest: int) -> int | None:
    if recording.action_dim is not None:
        return None
    return len(recording.action_names or ()) or recording.n_actions or largest + 1


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

    def look_at_percepts(self, start: int, piece: Array) -> _Seen:
        """Percepts; one with a NaN in it is missing."""
        if piece.dtype.kind != "f":
            return _Seen(len(piece))
        rows = piece.reshape(len(piece), -1)
        nan = np.isnan(rows)
        missing, wholly = int(nan.any(axis=1).sum()), int(nan.all(axis=1).sum())
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
        return _Seen(len(piece), missing, missing - wholly)


def _short(values: Array) -> str:
    shown = ", ".join(f"{value:.4g}" for value in values.reshape(-1)[:4])
    return f"[{shown}{', ...' if values.size > 4 else ''}]"
