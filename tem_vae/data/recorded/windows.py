"""Recorded walks as a source of batches: random windows for training, fixed ones for validation and test."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tem_vae.arrays import IntArray
from tem_vae.data.held_out import HeldOutWalks, WalkBatches
from tem_vae.data.recorded.recording import TOLD, RecordedWalk, Recording
from tem_vae.data.source import FloatPercepts, References, Split
from tem_vae.data.walk import Walks, concatenate

_LARGEST_PART = 2**30  # bytes
_MOST_REFERENCES = 2_000
_LARGEST_REFERENCES = 64 * 2**20  # bytes
_NOISE_STREAM = 3  # apart from those that draw walks
_PIECE = 16 * 2**20  # bytes


@dataclass(frozen=True)
class RecordedWalks:
    """Draws windows of recorded walks: each a contiguous part of one walk, read when it is drawn.

    Every window is as likely as any other. A walk shorter than a window is taken in whole and padded.

    Attributes:
        recording: Where the walks are read from.
        walks: Those of the split.
        split: Which share of the walks these are.
        batch_size: Windows in a batch.
        walk_length: Percepts of a window, at most.
        actions: The names of the actions, in the order of their numbers; empty where they are vectors.
        opposites: For each action the one that always undoes it; empty where nobody knows.
        n_classes: Classes of percepts; None where classes are not known.
        reference_walks: Training walks, whose percepts of known class the fixed classifier knows.
        motion_noise: Deviation of normal noise that is added to every number of a real-valued action, as a
            bad tracker would.
    """

    recording: Recording
    walks: tuple[RecordedWalk, ...]
    split: Split
    batch_size: int
    walk_length: int
    actions: Sequence[str]
    opposites: Mapping[int, int]
    n_classes: int | None
    reference_walks: tuple[RecordedWalk, ...]
    motion_noise: float = 0.0

    @property
    def percepts(self) -> None:
        """Percepts were recorded, and cannot be drawn by class."""
        return

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """That of the recording."""
        return self.recording.percept_shape

    def every_percept(self) -> Iterator[Tensor]:
        """All percepts of the walks in pieces of bounded size, NaN where they are missing.

        Of more than a gibibyte of them a part, in pieces spread evenly: enough for a mean and a deviation.
        """
        row = 4 * int(np.prod(self.percept_shape))
        every = max(1, -(-row * sum(map(len, self.walks)) // _LARGEST_PART))
        for walk in self.walks:
            steps = max(1, min(_PIECE // row, -(-len(walk) // every)))
            for start in range(0, len(walk), steps * every):
                yield torch.from_numpy(self.recording.percepts(walk, start, min(start + steps, len(walk))))

    def references(self) -> References | None:
        """Percepts spread evenly over the training walks; None where there are none, or no classes."""
        if self.n_classes is None or not self.reference_walks:
            return None
        if any(walk.classes is None for walk in self.reference_walks):
            return None
        row = 4 * int(np.prod(self.percept_shape))
        number = max(1, min(_MOST_REFERENCES, _LARGEST_REFERENCES // row))
        percepts, classes = zip(*self._spread(number), strict=True)
        is_there = ~np.isnan(np.stack(percepts)).reshape(len(percepts), -1).any(axis=1)
        return References(np.stack(percepts)[is_there], np.array(classes, dtype=np.int64)[is_there])

    def _spread(self, number: int) -> Iterator[tuple[FloatPercepts, int]]:
        """Single percepts with their classes, spread evenly over all steps of the training walks."""
        ends = np.cumsum([len(walk) for walk in self.reference_walks])
        for step in np.unique(np.linspace(0, ends[-1] - 1, number).astype(np.int64)):
            index = int(np.searchsorted(ends, step, side="right"))
            walk = self.reference_walks[index]
            at = int(step - (ends[index] - len(walk)))
            assert walk.classes is not None
            yield self.recording.percepts(walk, at, at + 1)[0], int(walk.classes.read(at, at + 1)[0])

    def lengthened(self) -> Self:
        """The same with windows twice as long and half as many."""
        return replace(self, batch_size=max(1, self.batch_size // 2), walk_length=2 * self.walk_length)

    def sample(self, rng: np.random.Generator) -> Walks:
        """Draw one batch."""
        starts = self._starts
        chosen = rng.choice(len(self.walks), self.batch_size, p=starts / starts.sum())
        first = np.floor(rng.random(self.batch_size) * starts[chosen]).astype(np.int64)
        windows = [
            self.window(self.walks[walk], int(start)) for walk, start in zip(chosen, first, strict=True)
        ]
        return self.blurred(concatenate(windows), rng)

    def blurred(self, walks: Walks, rng: np.random.Generator) -> Walks:
        """Walks as a tracker records them that adds its noise to actions."""
        if self.motion_noise == 0:
            return walks
        noise = torch.from_numpy(rng.standard_normal(walks.actions.shape)).to(walks.actions)
        return walks._replace(actions=walks.actions + self.motion_noise * noise)

    def window(self, walk: RecordedWalk, start: int) -> Walks:
        """The window of a walk that begins at a step; truth that not all walks have is left out."""
        return self.recording.window(walk, start, min(start + self.walk_length, len(walk)), self._known)

    @cached_property
    def _starts(self) -> IntArray:
        """At how many steps of each walk a window can begin."""
        return np.array([max(1, len(walk) - self.walk_length + 1) for walk in self.walks])

    @cached_property
    def _known(self) -> list[str]:
        return [name for name in TOLD if all(getattr(walk, name) is not None for walk in self.walks)]


class FixedWindows(WalkBatches):
    """Walks cut into windows end to end, in an order that the seed decides.

    A window that is only the last step of its walk is left out: no action leads to its percept.

    Args:
        source: The walks, and how long a window is.
        seed: Decides the order.
        most: Of all windows the first so many.
    """

    def __init__(self, source: RecordedWalks, seed: int, most: int) -> None:
        length = source.walk_length
        windows = [(n, s) for n, walk in enumerate(source.walks) for s in range(0, len(walk) - 1, length)]
        order = np.random.default_rng([self._streams[source.split], seed]).permutation(len(windows))
        self.windows = [windows[number] for number in order[:most]]
        self.recorded = source
        super().__init__(source, seed, len(self.windows))

    def __getitem__(self, index: int) -> Walks:
        walk, start = self.windows[index]
        window = self.recorded.window(self.recorded.walks[walk], start)
        return self.recorded.blurred(window, np.random.default_rng([_NOISE_STREAM, self.seed, index]))


@dataclass(frozen=True)
class HeldOutWindows(HeldOutWalks):
    """Fixed windows of recorded walks, number i always the same whatever the batch size.

    Attributes:
        source: The walks of the split.
    """

    source: RecordedWalks

    def batches(self) -> WalkBatches:
        """The windows, one a batch."""
        return FixedWindows(self.source, self.seed, self.walks)


def hold_out(source: RecordedWalks, seed: int, most: int, largest_batch: int) -> HeldOutWindows:
    """Fixed windows of all walks of a split.

    Args:
        source: The walks, and how long a window is.
        seed: Decides which windows.
        most: How many at most; all, where there are fewer.
        largest_batch: How many are evaluated at once, at most.
    """
    number = len(FixedWindows(source, seed, most))
    return HeldOutWindows(source, seed, number, max(1, min(number, largest_batch)))
