"""Batches of walks for training, validation and test."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import ClassVar, Self

import lightning as L
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from tem_vae.data.percepts import PerceptSource, Split
from tem_vae.data.policy import MomentumPolicy
from tem_vae.data.walk import Walks
from tem_vae.data.worlds import WorldSource


@dataclass(frozen=True)
class WalkSource:
    """Draws batches of walks: new worlds, places filled with classes evenly, a walk in each.

    Attributes:
        worlds: Where worlds come from.
        percepts: What their places look like.
        policy: How they are walked.
        split: Which share of the percepts may be shown.
        batch_size: Walks in a batch.
        walk_length: Percepts of a walk.
    """

    worlds: WorldSource
    percepts: PerceptSource
    policy: MomentumPolicy
    split: Split
    batch_size: int
    walk_length: int

    def lengthened(self) -> Self:
        """The same with walks twice as long and half as many."""
        return replace(self, batch_size=max(1, self.batch_size // 2), walk_length=2 * self.walk_length)

    def sample(self, rng: np.random.Generator) -> Walks:
        """Draw one batch."""
        worlds = self.worlds.sample(self.batch_size, rng)
        contents = rng.integers(self.percepts.n_classes, size=worlds.destinations.shape[:2])
        places, actions = self.policy.walk(worlds, self.walk_length, rng)
        classes = np.take_along_axis(contents, places, axis=1)
        percepts = self.percepts.sample(classes, self.split, rng)
        positions = np.take_along_axis(worlds.layout, places[..., None], axis=1)
        return Walks(
            percepts=torch.from_numpy(percepts),
            actions=torch.from_numpy(actions),
            places=torch.from_numpy(places),
            classes=torch.from_numpy(classes),
            positions=torch.from_numpy(positions).float(),
        )


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


class EndlessSampler(Sampler[int]):
    """Every `step`-th number from a given one on.

    So a run continues where it was cut off, and processes that train together divide the batches.
    """

    def __init__(self, start: int, step: int) -> None:
        self.start = start
        self.step = step

    def __iter__(self) -> Iterator[int]:
        return count(self.start, self.step)


def concatenate(walks: list[Walks]) -> Walks:
    """Join batches of walks of equal length along the batch."""
    return Walks(*(torch.cat(parts) for parts in zip(*walks, strict=True)))


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
        batches = WalkBatches(self.source, self.seed, self.walks)
        share = range(process, self.walks, processes)
        return DataLoader(batches, batch_size=self.batch_size, sampler=share, collate_fn=concatenate)


class WalkDataModule(L.LightningDataModule):
    """Endless training batches in new worlds; validation and test in fixed worlds of their own.

    Args:
        train: Draws the training batches.
        seed: Decides the training batches.
        validation: The walks that choose the best checkpoint.
        test: The walks that the closing table is about.
        num_workers: Processes that prepare training batches; changes no number.
        lengthen_after: Updates after which walks are twice as long and half as many. Errors of the rotations
            add up along a walk: short walks find path integration, long ones make it exact.
    """

    def __init__(
        self,
        train: WalkSource,
        seed: int,
        validation: HeldOutWalks,
        test: HeldOutWalks,
        num_workers: int,
        lengthen_after: int,
    ) -> None:
        super().__init__()
        self.train = train
        self.seed = seed
        self.validation = validation
        self.test = test
        self.num_workers = num_workers
        self.lengthen_after = lengthen_after

    def train_dataloader(self) -> DataLoader[Walks]:
        """Training batches from the first one that this run has not yet seen."""
        updates = 0 if self.trainer is None else self.trainer.global_step
        process, processes = self._process()
        sampler = EndlessSampler(start=updates * processes + process, step=processes)
        batches = WalkBatches(self.train, self.seed, 2**62, self.lengthen_after * processes)
        return DataLoader(batches, batch_size=None, sampler=sampler, num_workers=self.num_workers)

    def walk_steps(self, updates: int) -> int:
        """How many walk steps one process sees in the first updates of a run."""
        short = min(updates, self.lengthen_after)
        longer = self.train.lengthened()
        return (
            short * self.train.batch_size * self.train.walk_length
            + (updates - short) * longer.batch_size * longer.walk_length
        )

    def val_dataloader(self) -> DataLoader[Walks]:
        """The validation walks."""
        return self.validation.loader(*self._process())

    def _process(self) -> tuple[int, int]:
        """Which of how many processes that train together this one is."""
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def test_dataloader(self) -> DataLoader[Walks]:
        """The test walks."""
        return self.test.loader(*self._process())
