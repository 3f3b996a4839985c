"""A world that is given place by place."""

import numpy as np

from tem_vae.data.worlds.graph_file import WorldGraph
from tem_vae.data.worlds.world import NO_LINK, World, Worlds


class GraphWorlds:
    """The same places and links in every world; what the places hold differs.

    Args:
        graph: Places, and links labelled by actions.
    """

    def __init__(self, graph: WorldGraph) -> None:
        self.actions = graph.actions
        self.world = _lay_out(graph)

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """The world, ``batch`` times."""
        return Worlds.stack([self.world] * batch)


def _lay_out(graph: WorldGraph) -> World:
    place = {place.name: number for number, place in enumerate(graph.places)}
    action = {name: number for number, name in enumerate(graph.actions)}
    destinations = np.full((len(place), len(action)), NO_LINK)
    destinations[:, 0] = np.arange(len(place))
    for link in graph.links:
        destinations[place[link.start], action[link.action]] = place[link.end]
    return World(destinations, np.array([place.position for place in graph.places]))
