"""Whether path integration can tell all places of a world apart.

It adds up what each action contributes, in any order: a path is a vector of how often each action is taken.
Paths that lead from a place to itself span a lattice L of vectors that contribute nothing. So if paths from a
start to two places differ by a vector of L, they have one location code, whatever actions contribute. In a
tree, *left* then *up* leads back, and so does *right* then *up*: left − right is in L.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tem_vae.arrays import IntArray
from tem_vae.worlds.world import NO_LINK, STAY_NUMBER

# Bounds of the work on a file with many actions. With fewer loops less is found, and nothing that is not so.
_MOST_LOOPS, _MOST_NUMBERS = 1_000, 1_000_000
_LARGEST_NUMBER = 10**9

Vector = tuple[int, ...]


class Step(NamedTuple):
    """A link.

    Attributes:
        start: The place that it leaves.
        action: The number of its action.
        end: The place that it leads to.
    """

    start: int
    action: int
    end: int


def find_contradiction(destinations: IntArray) -> tuple[Step, Step] | None:
    """Two steps into places that have one location code, such as from a place to both its children in a tree.

    Args:
        destinations: Where each action leads from each place, (places, actions); NO_LINK where it is not
            open. Every place can be reached from the first.

    Returns:
        Steps that begin at one place, if there are such; None if all places can be told apart.
    """
    paths, came_by = _walk_everywhere(destinations)
    loops = _Lattice()
    for loop in _loops(destinations, paths):
        loops.add(loop)
    found: dict[Vector, int] = {}
    pairs = []
    for place, path in paths.items():
        other = found.setdefault(loops.reduce(path), place)
        if other != place:
            pairs.append((came_by[other], came_by[place]))
    return min(pairs, key=lambda pair: pair[0].start != pair[1].start, default=None)


def _walk_everywhere(destinations: IntArray) -> tuple[dict[int, Vector], dict[int, Step]]:
    """For each place how often each action is taken on a shortest path to it, and a step that leads to it."""
    nothing = (0,) * destinations.shape[1]
    paths, left = {0: nothing}, deque([0])
    came_by: dict[int, Step] = {}
    while left:
        start = left.popleft()
        for step in _steps(destinations, start):
            came_by.setdefault(step.end, step)
            if step.end not in paths:
                paths[step.end] = _taken(paths[start], step.action)
                left.append(step.end)
    return paths, came_by


def _steps(destinations: IntArray, start: int) -> Iterator[Step]:
    for action, end in enumerate(destinations[start].tolist()):
        if action != STAY_NUMBER and end != NO_LINK:
            yield Step(start, action, end)


def _taken(path: Vector, action: int) -> Vector:
    return (*path[:action], path[action] + 1, *path[action + 1 :])


def _loops(destinations: IntArray, paths: dict[int, Vector]) -> dict[Vector, None]:
    """Vectors that contribute nothing: a path to a place less another one to it; the short ones first."""
    loops: dict[Vector, None] = {}
    most = min(_MOST_LOOPS, _MOST_NUMBERS // destinations.shape[1] ** 2)
    for start, path in paths.items():
        for step in _steps(destinations, start):
            on_other, own = _taken(path, step.action), paths[step.end]
            loop = tuple(a - b for a, b in zip(on_other, own, strict=True))
            if any(loop):
                loops[loop] = None
            if len(loops) == most:
                return loops
    return loops


class _Lattice:
    """All sums of some integer vectors, in echelon form: each row by the column at which it begins."""

    def __init__(self) -> None:
        self._rows: dict[int, list[int]] = {}

    def add(self, vector: Sequence[int]) -> None:
        """Take in a vector, unless its numbers or those of rows grow too large."""
        left = list(vector)
        for column in range(len(left)):
            if not left[column]:
                continue
            row = self._rows.get(column)
            if row is None:
                self._rows[column] = left if left[column] > 0 else [-number for number in left]
                return
            while left[column]:  # Euclid
                if max(map(abs, left)) > _LARGEST_NUMBER:
                    return
                times = row[column] // left[column]
                row, left = left, [a - times * b for a, b in zip(row, left, strict=True)]
            self._rows[column] = row if row[column] > 0 else [-number for number in row]

    def reduce(self, vector: Sequence[int]) -> Vector:
        """The same for all vectors that differ by one of the lattice, and for no others."""
        left = list(vector)
        for column in sorted(self._rows):
            row = self._rows[column]
            if times := left[column] // row[column]:
                left = [a - times * b for a, b in zip(left, row, strict=True)]
        return tuple(left)
