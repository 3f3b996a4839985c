"""Walks as somebody could have recorded them, for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from tem_vae.data import Truth, Walks, save_walks
from tem_vae.data.recorded.park_walks import Eye, simulated_walks
from tem_vae.data.recorded.rat_walks import walks_of
from tem_vae.data.recorded.recording import TOLD

STEPS = ((0, 1), (0, -1), (-1, 0), (1, 0))


def lattice_walk(length: int, seed: int = 0, size: int = 4) -> dict[str, np.ndarray]:
    """A walk on a torus of size by size places: what a place shows is decided by its class."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 4, length - 1)
    moved = np.vstack([rng.integers(0, size, (1, 2)), np.array(STEPS)[actions]]).cumsum(axis=0) % size
    places = moved[:, 1] * size + moved[:, 0]
    classes = places % 5
    percepts = np.eye(5, 6)[classes] + 0.1 * rng.normal(size=(length, 6))
    return {
        "percepts": percepts.astype(np.float32),
        "actions": actions,
        "places": places,
        "classes": classes,
        "positions": moved.astype(np.float64),
    }


def write_hdf5(path: Path, walks: Mapping[str, Mapping[str, Any]], **attributes: Any) -> Path:
    """A file of the plain layout; a field named ``world`` becomes an attribute."""
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, walk in walks.items():
            group = file.require_group(name) if name else file
            for field, values in walk.items():
                if field == "world":
                    group.attrs["world"] = values
                else:
                    group[field] = values
    return path


def recorded(path: Path, walks: int = 6, length: int = 60) -> Path:
    """A file of walks of different lengths."""
    return write_hdf5(path, {f"walk_{n}": lattice_walk(length + n, seed=n) for n in range(walks)})


def like_a_rat(path: Path, pieces: int = 4, steps: int = 60) -> Path:
    """A file as ``scripts/make_rat_walks.py`` makes it, of a made-up path in a box of 1 m."""
    turned = np.random.default_rng(0).normal(0, 0.5, (pieces, steps)).cumsum(axis=1)
    moved = 0.05 * np.stack([np.cos(turned), np.sin(turned)], axis=-1).cumsum(axis=1)
    within_box = np.abs((moved + 0.5) % 2 - 1)  # the path is reflected at the walls
    walks, worlds = walks_of(within_box, sessions=2, cells=64, width=0.1, noise=0.02, seed=0)
    save_walks(path, walks, worlds=worlds)
    return path


def like_a_park(path: Path, parks: int = 4, metres: float = 160) -> Path:
    """A file as ``scripts/make_park_walk.py`` makes it of simulated parks."""
    eye = Eye(spacing=4.0, trail=20.0, reach=20.0, cells=9, width=3.0)
    save_walks(path, simulated_walks(parks, metres, 0.0, eye, seed=0))
    return path


def like_minigrid(path: Path, walks: int = 6, length: int = 40) -> Path:
    """A file as ``scripts/record_walks.py`` makes it of MiniGrid: images of places, but no classes."""
    pictures = np.random.default_rng(0).integers(0, 256, (16, 7, 7, 3)).repeat(8, axis=1).repeat(8, axis=2)
    made = {f"walk_{n}": lattice_walk(length, seed=n) for n in range(walks)}
    for walk in made.values():
        del walk["classes"]
        walk["percepts"] = pictures[walk["places"]].astype(np.uint8)
    return write_hdf5(path, made)


def as_batch(walk: Mapping[str, np.ndarray]) -> Walks:
    """A walk as a batch of one."""
    tensors = {name: torch.from_numpy(values)[None] for name, values in walk.items()}
    length = len(walk["percepts"])
    return Walks(
        tensors["percepts"],
        tensors["actions"],
        torch.ones(1, length, dtype=torch.bool),
        Truth(*(tensors.get(name) for name in TOLD)),
    )


# What experiments on recorded walks are tried with, by their names.
OF_EXPERIMENTS = {"rat": like_a_rat, "park": like_a_park, "minigrid": like_minigrid}
