import numpy as np
import pytest
import torch

from tem_vae.data import Digits, HeldOutWalks, MomentumPolicy, RectangularWorlds, SimulatedWalks, Walks
from tem_vae.data.source import Split
from tem_vae.training.datamodule import WalkDataModule


def source(split: Split = "train", batch_size: int = 4) -> SimulatedWalks:
    worlds = RectangularWorlds((3, 5), (3, 5))
    return SimulatedWalks(worlds, Digits(0), MomentumPolicy(0.5), split, batch_size, walk_length=20)


def data(seed: int = 0, num_workers: int = 0) -> WalkDataModule:
    validation = HeldOutWalks(source("validation", 1), seed=1, walks=5, batch_size=2)
    test = HeldOutWalks(source("test", 1), seed=1, walks=5, batch_size=5)
    return WalkDataModule(source(), seed, validation, test, num_workers, lengthen_after=1000)


def take(module: WalkDataModule, batches: int) -> list[Walks]:
    loader = iter(module.train_dataloader())
    return [next(loader) for _ in range(batches)]


def same(first: Walks, second: Walks) -> bool:
    assert first.truth is not None
    assert second.truth is not None
    known = [[field for field in walks.truth if field is not None] for walks in (first, second)]
    pairs = zip((*first[:3], *known[0]), (*second[:3], *known[1]), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_shapes_of_a_batch() -> None:
    walks = take(data(), 1)[0]
    assert walks.percepts.shape == (4, 20, 64)
    assert walks.actions.shape == (4, 19)
    assert walks.places.shape == walks.classes.shape == (4, 20)
    assert walks.positions.shape == (4, 20, 2)


def test_a_place_keeps_its_class_and_changes_its_image() -> None:
    walks = source(batch_size=32).sample(np.random.default_rng(0))
    for row in range(32):
        for place in walks.places[row].unique():
            at_place = walks.places[row] == place
            assert len(walks.classes[row][at_place].unique()) == 1
    twice = walks.percepts[0][walks.places[0] == walks.places[0].mode().values]
    assert len(torch.unique(twice, dim=0)) > 1


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_same_seed_gives_the_same_batches_with_any_number_of_workers(num_workers: int) -> None:
    expected = take(data(seed=3), 5)
    assert all(map(same, expected, take(data(seed=3, num_workers=num_workers), 5)))


def test_every_batch_and_every_seed_is_new() -> None:
    first, second = take(data(seed=0), 2)
    assert not same(first, second)
    assert not same(first, take(data(seed=1), 1)[0])


def test_held_out_walks_do_not_depend_on_the_batch_size() -> None:
    def all_places(batch_size: int) -> torch.Tensor:
        walks = HeldOutWalks(source("test", 1), seed=2, walks=5, batch_size=batch_size)
        return torch.cat([batch.places for batch in walks.loader()])

    assert torch.equal(all_places(1), all_places(3))


def test_splits_with_the_same_seed_walk_different_worlds() -> None:
    module = data(seed=1)
    validation = next(iter(module.val_dataloader()))
    test = next(iter(module.test_dataloader()))
    train = take(module, 1)[0]
    assert not torch.equal(validation.places[:1], test.places[:1])
    assert not torch.equal(train.places[:1], test.places[:1])
