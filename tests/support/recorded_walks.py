"""Walks as somebody could have recorded them, for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from tem_vae.data import Truth, Walks

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


def as_batch(walk: Mapping[str, np.ndarray]) -> Walks:
    """A walk as a batch of one."""
    tensors = {name: torch.from_numpy(values)[None] for name, values in walk.items()}
    length = len(walk["percepts"])
    return Walks(
        tensors["percepts"],
        tensors["actions"],
        torch.ones(1, length, dtype=torch.bool),
        Truth(*(tensors.get(name) for name in Truth._fields)),
    )
