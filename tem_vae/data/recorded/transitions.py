"""Where numbered actions led, as the places of recorded walks tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tem_vae.arrays import IntArray
from tem_vae.data.recorded.recording import RecordedWalk, Recording

_MOST_STEPS = 5_000_000  # enough to know where actions lead; bounds memory
_PIECE = 2**18


@dataclass(frozen=True)
class Transitions:
    """Steps of one world, each kind of step once.

    Attributes:
        world: Its name.
        start: The place that a step left, (steps,).
        action: What was done, (steps,).
        end: The place that it led to, (steps,).
        walk: The number of a walk in which it was made, (steps,).
        step: Its number in that walk, (steps,).
    """

    world: str
    start: IntArray
    action: IntArray
    end: IntArray
    walk: IntArray
    step: IntArray

    def only_one_end(self) -> "Transitions":
        """Without actions that led from one place to several."""
        order = np.lexsort((self.end, self.action, self.start))
        start, action = self.start[order], self.action[order]
        same = (start[1:] == start[:-1]) & (action[1:] == action[:-1])
        alone = ~(np.append(same, False) | np.insert(same, 0, False))
        kept = order[alone]
        columns = (self.start, self.action, self.end, self.walk, self.step)
        return Transitions(self.world, *(column[kept] for column in columns))

    def follow(self, places: IntArray, actions: IntArray) -> IntArray:
        """The index of the step from each place by each action, −1 where nobody made it.

        Needs `only_one_end`, whose order this relies on.
        """
        if not len(self.start):
            return np.full(len(places), -1)
        n_actions = int(max(self.action.max(), actions.max(initial=0))) + 1
        known = self.start * n_actions + self.action
        wanted = places * n_actions + actions
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found: IntArray = np.where(known[at] == wanted, at, -1)
        return found


def gather_transitions(recording: Recording) -> list[Transitions]:
    """The steps of every world; none where places are not known or actions are vectors."""
    if recording.action_dim is not None:
        return []
    kept: dict[tuple[str, str], list[IntArray]] = {}
    left = _MOST_STEPS
    for number, walk in enumerate(recording.walks):
        if walk.places is None or left <= 0:
            continue
        rows = np.concatenate(list(_steps(number, walk, left)))
        left -= len(rows)
        kept.setdefault(walk.world, []).append(_each_once(rows))
    return [
        Transitions(world[1], *_each_once(np.concatenate(rows)).T)
        for world, rows in kept.items()
        if len(rows)
    ]


def _steps(number: int, walk: RecordedWalk, most: int) -> Iterator[IntArray]:
    """Start, action, end, walk and step of every step, (steps, 5)."""
    assert walk.places is not None
    for first in range(0, min(len(walk) - 1, most), _PIECE):
        places = walk.places.read(first, first + _PIECE + 1).astype(np.int64)
        actions = walk.actions.read(first, first + _PIECE).astype(np.int64)
        steps = np.arange(first, first + len(actions))
        yield np.stack([places[:-1], actions, places[1:], np.full(len(actions), number), steps], axis=1)


def _each_once(rows: IntArray) -> IntArray:
    _, first = np.unique(rows[:, :3], axis=0, return_index=True)
    once: IntArray = rows[first]
    return once


def find_opposites(worlds: list[Transitions]) -> Mapping[int, int]:
    """For each action the one that undid it wherever both were seen; none where places do not show one."""
    confirmed: dict[tuple[int, int], int] = {}
    contradicted: set[tuple[int, int]] = set()
    for world in worlds:
        steps = world.only_one_end()
        moves = steps.start != steps.end
        start, action, end = steps.start[moves], steps.action[moves], steps.end[moves]
        for back in np.unique(action).tolist():
            found = steps.follow(end, np.full(len(end), back))
            returned = steps.end[found] == start
            for one in np.unique(action[found >= 0]).tolist():
                of_one = (found >= 0) & (action == one)
                if not returned[of_one].all():
                    contradicted.add((one, back))
                confirmed[one, back] = confirmed.get((one, back), 0) + int(returned[of_one].sum())
    opposites: dict[int, int] = {}
    for (one, back), times in sorted(confirmed.items(), key=lambda pair: pair[1]):
        if times and (one, back) not in contradicted and (back, one) not in contradicted:
            opposites[one] = back
    return dict(sorted(opposites.items()))
