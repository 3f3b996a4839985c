"""How a walker chooses its actions."""

from dataclasses import dataclass

import numpy as np

from tem_vae.arrays import IntArray
from tem_vae.worlds import NO_LINK, Worlds

STAY = 0


@dataclass(frozen=True)
class MomentumPolicy:
    """Walk on in the same direction with some probability, else take any open action with equal chance.

    A direction is kept only where its link exists, so a walker turns at walls; staying put is
    one of the open actions but is never kept.

    Attributes:
        momentum: The probability of keeping the direction, in [0, 1].
    """

    momentum: float

    def walk(self, worlds: Worlds, length: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
        """Walk once through every world, from a place drawn evenly.

        Args:
            worlds: The worlds, a walk in each.
            length: Walk steps, that is percepts; one action fewer.
            rng: The source of every draw.

        Returns:
            places: shape (batch, length).
            actions: shape (batch, length - 1).
        """
        batch, n_places, n_actions = worlds.destinations.shape
        keeps = rng.random((length - 1, batch)) < self.momentum
        choices = rng.random((length - 1, batch))
        place = np.floor(rng.random(batch) * worlds.sizes).astype(np.int64)
        # Places of all worlds are numbered through, so that one index suffices in the loop.
        first = np.arange(batch) * n_places
        destinations = worlds.destinations.reshape(-1, n_actions)
        is_open = destinations != NO_LINK
        n_open = is_open.sum(axis=1)
        open_actions = np.argsort(~is_open, axis=1, kind="stable")
        keepable = is_open & (np.arange(n_actions) != STAY)
        action = np.full(batch, STAY)
        places, actions = [place], []
        for keep, choice in zip(keeps, choices, strict=True):
            here = first + place
            fresh = open_actions[here, (choice * n_open[here]).astype(np.int64)]
            action = np.where(keep & keepable[here, action], action, fresh)
            place = destinations[here, action]
            actions.append(action)
            places.append(place)
        stacked_actions = np.stack(actions, axis=1) if actions else np.empty((batch, 0), dtype=np.int64)
        return np.stack(places, axis=1), stacked_actions
