"""Splits share no walk, and windows never leave theirs."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_walks import lattice_walk, recorded, write_hdf5

from tem_vae.data import Walks, WalksFileError, open_recording
from tem_vae.data.recorded import RecordedWalks, Recording, Shares, hold_out, split_walks


def numbered(folder: Path, lengths: list[int], worlds: list[int]) -> Recording:
    """Walks whose percepts say which walk and step they are of."""
    walks = {
        f"walk_{n}": {
            "percepts": np.stack([np.full(length, n), np.arange(length)], axis=1).astype(np.float32),
            "actions": np.arange(length - 1) % 3,
            "places": np.arange(length),
            "world": world,
        }
        for n, (length, world) in enumerate(zip(lengths, worlds, strict=True))
    }
    return open_recording(write_hdf5(folder / "walks.h5", walks))


def source(recording: Recording, length: int, batch_size: int = 5) -> RecordedWalks:
    walks = recording.walks
    return RecordedWalks(recording, walks, "train", batch_size, length, ("a", "b", "c"), {}, None, walks)


def check_rows(batch: Walks, lengths: list[int], window: int) -> None:
    for row in range(len(batch.mask)):
        steps = int(batch.mask[row].sum())
        walk, first = batch.percepts[row, 0].long().tolist()
        assert steps == min(window, lengths[walk] - first)
        assert (batch.percepts[row, :steps, 0] == walk).all()
        assert torch.equal(batch.percepts[row, :steps, 1], torch.arange(first, first + steps).float())
        assert torch.equal(batch.actions[row, : steps - 1], torch.arange(first, first + steps - 1) % 3)
        assert not batch.mask[row, steps:].any()


lengths_of_walks = st.lists(st.integers(2, 12), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(lengths=lengths_of_walks, window=st.integers(2, 9), seed=st.integers(0, 99))
def test_a_window_is_part_of_one_walk(
    tmp_path_factory: pytest.TempPathFactory, lengths, window, seed
) -> None:
    recording = numbered(tmp_path_factory.mktemp("walks"), lengths, [0] * len(lengths))
    walks = source(recording, window)
    batch = walks.sample(np.random.default_rng(seed))
    check_rows(batch, lengths, window)
    assert torch.equal(batch.percepts, walks.sample(np.random.default_rng(seed)).percepts)


@settings(max_examples=25, deadline=None)
@given(lengths=lengths_of_walks, window=st.integers(2, 9), seed=st.integers(0, 99), at_once=st.integers(1, 4))
def test_fixed_windows_cover_every_walk_once(
    tmp_path_factory: pytest.TempPathFactory, lengths, window, seed, at_once
) -> None:
    recording = numbered(tmp_path_factory.mktemp("walks"), lengths, [0] * len(lengths))
    held_out = hold_out(source(recording, window), seed, 1000, at_once)
    seen = []
    for batch in held_out.loader():
        check_rows(batch, lengths, window)
        seen += [tuple(percept.long().tolist()) for percept in batch.percepts[batch.mask]]
    assert len(seen) == len(set(seen))
    # The last step of a walk is left out where it would be a window of its own.
    assert len(seen) == sum(length - (length % window == 1) for length in lengths)
    shared = [batch for process in (0, 1) for batch in held_out.loader(process, 2)]
    assert sum(int(batch.mask.sum()) for batch in shared) == len(seen)
    fewer = hold_out(source(recording, window), seed, 2, 1)
    assert all(
        torch.equal(a.percepts, b.percepts) for a, b in zip(fewer.batches(), held_out.batches(), strict=False)
    )


@settings(max_examples=40, deadline=None)
@given(
    worlds=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    by=st.sampled_from(["world", "walk"]),
    validation=st.sampled_from([0.0, 0.1, 0.3]),
    test=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 9),
)
def test_splits_are_disjoint_and_share_no_world(
    tmp_path_factory: pytest.TempPathFactory, worlds, by, validation, test, seed
) -> None:
    recording = numbered(tmp_path_factory.mktemp("walks"), [2] * len(worlds), worlds)
    shares = Shares(by, 0.0 if test == 1 else validation, test, seed)
    try:
        split = split_walks(recording, shares)
    except WalksFileError:
        assert len(set(worlds) if by == "world" else worlds) < 5
        return
    names = [walk.name for walks in split.values() for walk in walks]
    assert sorted(names) == sorted(walk.name for walk in recording.walks)
    assert bool(split["train"]) == (test < 1)
    assert (len(split["validation"]) > 0) == (shares.validation > 0)
    assert (len(split["test"]) > 0) == (test > 0)
    if by == "world":
        worlds_of = [{walk.world for walk in walks} for walks in split.values()]
        assert sum(map(len, worlds_of)) == len(set.union(*worlds_of))
    assert split == split_walks(recording, shares)


def test_too_few_walks_are_refused_with_advice(tmp_path: Path) -> None:
    one_world, one_walk = (tmp_path / "world", tmp_path / "walk")
    one_world.mkdir()
    one_walk.mkdir()
    with pytest.raises(
        WalksFileError, match=r"has 1 world, .*, or split its 3 walks with data\.split\.by=walk"
    ):
        split_walks(numbered(one_world, [5, 5, 5], [0, 0, 0]), Shares("world", 0.1, 0.1, 0))
    with pytest.raises(WalksFileError, match="or store a long one as several walks"):
        split_walks(numbered(one_walk, [50], [0]), Shares("walk", 0.1, 0.1, 0))


def test_truth_that_not_all_walks_have_is_left_out(tmp_path: Path) -> None:
    with_truth, without = lattice_walk(9), lattice_walk(9)
    del without["places"]
    recording = open_recording(write_hdf5(tmp_path / "w.h5", {"a": with_truth, "b": without}))
    batch = source(recording, 5).sample(np.random.default_rng(0))
    assert batch.places is None
    assert batch.classes is not None


def test_a_bad_tracker_blurs_actions_and_nothing_else(tmp_path: Path) -> None:
    walk = lattice_walk(2000)
    walk["actions"] = np.zeros((1999, 2), np.float32)
    plain = open_recording(write_hdf5(tmp_path / "walks.h5", {f"walk_{n}": walk for n in range(3)}))
    noisy = replace(source(plain, 1000, batch_size=4), motion_noise=0.3, actions=())
    batch = noisy.sample(np.random.default_rng(0))
    assert batch.actions.std().item() == pytest.approx(0.3, rel=0.05)
    fixed, again = (hold_out(replace(noisy, batch_size=1), 0, 6, 2).batches() for _ in range(2))
    without = hold_out(replace(noisy, batch_size=1, motion_noise=0.0), 0, 6, 2).batches()
    for n in range(6):
        assert torch.equal(fixed[n].actions, again[n].actions)
        assert torch.equal(fixed[n].percepts, without[n].percepts)
        assert not without[n].actions.any()
    assert not torch.equal(fixed[0].actions[:, :100], fixed[1].actions[:, :100])


def test_other_processes_read_the_same(tmp_path: Path) -> None:
    walks = source(open_recording(recorded(tmp_path / "w.h5")), 20)
    other = pickle.loads(pickle.dumps(walks))
    one, two = (each.sample(np.random.default_rng(3)) for each in (walks, other))
    assert torch.equal(one.percepts, two.percepts)


def test_references_are_training_percepts_with_their_classes(tmp_path: Path) -> None:
    recording = open_recording(recorded(tmp_path / "w.h5", walks=3))
    train = recording.walks[:2]
    walks = RecordedWalks(recording, recording.walks[2:], "test", 1, 9, "abcd", {}, 5, train)
    references = walks.references()
    assert references is not None
    written = np.concatenate([walk.percepts.read(0, 99) for walk in train])
    assert np.array_equal(references.percepts, written)
    assert (references.percepts.argmax(axis=1) == references.classes).mean() > 0.9


def test_every_percept_is_read_once_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tem_vae.data.recorded.windows._PIECE", 4 * 3)
    walks = source(numbered(tmp_path, [4, 9, 2], [0, 0, 0]), 5)
    expected = [walks.recording.percepts(walk, 0, len(walk)) for walk in walks.walks]
    pieces = list(walks.every_percept())
    assert max(map(len, pieces)) <= 3
    np.testing.assert_array_equal(torch.cat(pieces).numpy(), np.concatenate(expected))
