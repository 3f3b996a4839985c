"""Rings: a walker can go clockwise or counterclockwise."""

from functools import cache

import numpy as np

from tem_vae.worlds.world import STAY, Range, World, Worlds, check_range


class RingWorlds:
    """Closed tracks. If all have the same length, a model can learn after how many steps a walk is back.

    Args:
        places: Smallest and largest number of places.

    Raises:
        ValueError: If the range is empty or begins below 3.
    """

    actions = (STAY, "clockwise", "counterclockwise")

    def __init__(self, places: Range) -> None:
        check_range("places", places, smallest=3)
        self.places = places

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw ``batch`` worlds whose numbers of places lie in the range, ends included."""
        places = rng.integers(*self.places, batch, endpoint=True)
        return Worlds.stack([ring(number) for number in places.tolist()])


@cache
def ring(places: int) -> World:
    """The ring with a number of places, laid out clockwise on a circle with links of length 1."""
    place = np.arange(places)
    destinations = np.stack([place, (place + 1) % places, (place - 1) % places], axis=-1)
    angle = -2 * np.pi * place / places
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return World(destinations, circle / (2 * np.sin(np.pi / places)))
