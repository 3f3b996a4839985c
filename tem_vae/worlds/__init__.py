"""Worlds: where a walk can go. Every kind is a source of batches of worlds."""

from tem_vae.data.worlds.graph import GraphWorlds
from tem_vae.data.worlds.graph_file import WorldFileError, WorldGraph, read_graph
from tem_vae.data.worlds.hexagonal import HexagonalWorlds
from tem_vae.data.worlds.obstructed import ObstructedWorlds
from tem_vae.data.worlds.rectangular import RectangularWorlds
from tem_vae.data.worlds.relabelled import (
    ActionMismatchError,
    RelabelledWorlds,
    check_actions,
    renumber_actions,
)
from tem_vae.data.worlds.ring import RingWorlds
from tem_vae.data.worlds.world import (
    NO_LINK,
    STAY,
    FloatArray,
    IntArray,
    Range,
    World,
    Worlds,
    WorldSource,
)

__all__ = [
    "NO_LINK",
    "STAY",
    "ActionMismatchError",
    "FloatArray",
    "GraphWorlds",
    "HexagonalWorlds",
    "IntArray",
    "ObstructedWorlds",
    "Range",
    "RectangularWorlds",
    "RelabelledWorlds",
    "RingWorlds",
    "World",
    "WorldFileError",
    "WorldGraph",
    "WorldSource",
    "Worlds",
    "check_actions",
    "read_graph",
    "renumber_actions",
]
