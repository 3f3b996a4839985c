"""Whether a place of recorded walks is a point, or a bin: a part of a plane that was cut into pieces."""

from collections.abc import Iterator

import numpy as np

from tem_vae.data.recorded.contents import Array
from tem_vae.data.recorded.problems import WalkProblem
from tem_vae.data.recorded.recording import RecordedWalk

_SAME = 1e-3  # of the coordinates' size
_ROWS = 2**18  # read at once


class PlacePositions:
    """Compares the positions at which walks are at the same place, walk by walk.

    Within a walk, a place is mostly seen at one position, or it is not. If of the places that a walk is at
    for two steps or more most are at several positions, places are bins, and their positions may differ.
    Else a place has one position, in all walks of its world.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[int, Array]] = {}
        self._problems: list[WalkProblem] = []
        self._repeated = self._spread = 0

    @property
    def are_bins(self) -> bool:
        """Whether places are bins, as far as the walks so far tell."""
        return 2 * self._spread > self._repeated

    def problems(self) -> list[WalkProblem]:
        """Of each walk the first step at which a place is not where it was; none if places are bins."""
        return [] if self.are_bins else self._problems

    def look_at(self, walk: RecordedWalk) -> None:
        """Take in a walk.

        Raises:
            WalksFileError: The file was changed or damaged since it was opened.
        """
        of_world = self._known.setdefault(walk.world, {})
        of_walk: dict[int, Array] = {}
        steps_at: dict[int, int] = {}
        spread: set[int] = set()
        first, moved = "", 0
        for start, places, positions in _pieces(walk):
            unique, counts = np.unique(places, return_counts=True)
            for place, count in zip(unique.tolist(), counts.tolist(), strict=True):
                steps_at[place] = steps_at.get(place, 0) + count
            spread.update(places[_differ(positions, _expected(of_walk, places, positions))].tolist())
            expected = _expected(of_world, places, positions)
            wrong = np.flatnonzero(_differ(positions, expected))
            if not moved and len(wrong):
                first = _describe(start, places, positions, expected, int(wrong[0]))
            moved += len(wrong)
        if moved:
            self._problems.append(WalkProblem(walk.name, first, moved - 1))
        self._repeated += sum(steps > 1 for steps in steps_at.values())
        self._spread += len(spread)


def _pieces(walk: RecordedWalk) -> Iterator[tuple[int, Array, Array]]:
    """Places and positions piece by piece, with where each begins; none where one of them is not known."""
    if walk.places is None or walk.positions is None:
        return
    for start in range(0, len(walk), _ROWS):
        places = walk.places.read(start, start + _ROWS)
        yield start, places, walk.positions.read(start, start + _ROWS).astype(np.float64)


def _expected(known: dict[int, Array], places: Array, positions: Array) -> Array:
    """Where each place was when it was first seen, (steps, 2 or 3); places not yet known are added."""
    unique, first = np.unique(places, return_index=True)
    for place, at in zip(unique.tolist(), first.tolist(), strict=True):
        known.setdefault(place, positions[at])
    at_first: Array = np.stack([known[place] for place in unique.tolist()])
    return at_first[np.searchsorted(unique, places)]


def _differ(positions: Array, expected: Array) -> Array:
    """Whether positions are others than expected, (steps,)."""
    differ: Array = (np.abs(positions - expected) > _SAME * (1 + np.abs(expected))).any(axis=1)
    return differ


def _describe(start: int, places: Array, now: Array, before: Array, at: int) -> str:
    here, there = ([float(f"{value:.4g}") for value in row[at].tolist()] for row in (now, before))
    return (
        f"positions[{start + at}] = {here}: place {places[at]} was at {there} before; a place has one "
        "position, in all walks of its world, unless most places are bins, in which positions differ"
    )
