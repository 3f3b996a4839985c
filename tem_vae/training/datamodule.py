"""Batches of walks as Lightning asks for them."""

from collections.abc import Iterator
from itertools import count

import lightning as L
from torch.utils.data import DataLoader, Sampler

from tem_vae.config.training import DataConfig
from tem_vae.data import HeldOutWalks, WalkBatches, Walks, WalkSource


class EndlessSampler(Sampler[int]):
    """Every `step`-th number from a given one on.

    So a run continues where it was cut off, and processes that train together divide the batches.
    """

    def __init__(self, start: int, step: int) -> None:
        self.start = start
        self.step = step

    def __iter__(self) -> Iterator[int]:
        return count(self.start, self.step)


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


def build_data(config: DataConfig, seed: int, updates: int) -> WalkDataModule:
    """The walks of a run.

    Args:
        config: The ``data`` section.
        seed: Decides the training walks.
        updates: How many there will be.
    """
    train, validation, test = config.build()
    return WalkDataModule(
        train, seed, validation, test, config.num_workers, round(config.lengthen_after * updates)
    )
