"""Draws that depend on a seed alone and leave torch's global generator as it was."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block torch draws as if seeded anew; after it, as if the block had not been.

    Args:
        seed: Decides the draws within.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
