"""Which actions undo which, found in the links of worlds."""

import numpy as np

from tem_vae.worlds.world import NO_LINK, Worlds


def opposite_actions(worlds: Worlds) -> dict[int, int]:
    """For each action the one that undoes it, wherever it leads; actions that nothing always undoes lack.

    Example:
        In a rectangular lattice up undoes down, and staying undoes itself.
    """
    n_actions = worlds.destinations.shape[-1]
    pairs = ((a, b) for a in range(n_actions) for b in range(n_actions) if _undoes(worlds, a, b))
    return dict(reversed(list(pairs)))


def _undoes(worlds: Worlds, action: int, other: int) -> bool:
    """Whether one action leads back wherever another led, and that was somewhere."""
    out = worlds.destinations[..., action]
    inside = np.arange(out.shape[1]) < worlds.sizes[:, None]
    row, place = np.nonzero((out != NO_LINK) & inside)
    back = worlds.destinations[row, out[row, place], other]
    return len(row) > 0 and bool((back == place).all())
