"""Numbered batches of walks, and fixed sets of walks for validation and test."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch.utils.data import DataLoader, Dataset

from tem_vae.data.source import Split, WalkSource
from tem_vae.data.walk import Walks, concatenate

# (time, time) arrays of all walks evaluated at once hold about this many numbers, 32 MB in float32.
_LARGEST_ATTENTION = 8_000_000


def walks_at_once(walks: int, walk_length: int) -> int:
    """How many of so many walks of a length can be evaluated at once in bounded memory."""
    return max(1, min(walks, _LARGEST_ATTENTION // walk_length**2))


class WalkBatches(Dataset[Walks]):
    """Batch number i of a source, a function of the seed and i alone: the same with any number of workers.

    Args:
        source: Draws the batches.
        seed: Together with the split, decides every batch.
        length: How many batches there are.
        lengthen_from: The number of the first batch of walks twice as long and half as many.
    """

    _streams: ClassVar[dict[Split, int]] = {"train": 0, "validation": 1, "test": 2}

    def __init__(self, source: WalkSource, seed: int, length: int, lengthen_from: int | None = None) -> None:
        self.source = source
        self.seed = seed
        self.length = length
        self.lengthen_from = length if lengthen_from is None else lengthen_from

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Walks:
        stream = self._streams[self.source.split]
        source = self.source if index < self.lengthen_from else self.source.lengthened()
        return source.sample(np.random.default_rng([stream, self.seed, index]))


@dataclass(frozen=True)
class HeldOutWalks:
    """A fixed set of walks, number i always the same whatever the batch size.

    Attributes:
        source: Draws the walks, one at a time (its ``batch_size`` is 1).
        seed: Together with the split, decides every walk.
        walks: How many walks there are.
        batch_size: How many are evaluated at once; bounds memory, changes no number.
    """

    source: WalkSource
    seed: int
    walks: int
    batch_size: int

    def loader(self, process: int = 0, processes: int = 1) -> DataLoader[Walks]:
        """The walks in order, or the share of one of several processes."""
        batches = self.batches()
        share = range(process, self.walks, processes)
        return DataLoader(batches, batch_size=self.batch_size, sampler=share, collate_fn=concatenate)

    def batches(self) -> WalkBatches:
        """The walks, one a batch."""
        return WalkBatches(self.source, self.seed, self.walks)
