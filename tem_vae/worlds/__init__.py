"""Worlds: where a walk can go. Every kind is a source of batches of worlds."""

from tem_vae.worlds.contradictions import Step, find_contradiction
from tem_vae.worlds.graph import GraphWorlds, WorldFileError, WorldGraph, read_graph
from tem_vae.worlds.hexagonal import HexagonalWorlds
from tem_vae.worlds.obstructed import ObstructedWorlds
from tem_vae.worlds.opposites import opposite_actions
from tem_vae.worlds.rectangular import RectangularWorlds
from tem_vae.worlds.relabelled import (
    ActionMismatchError,
    RelabelledWorlds,
    check_actions,
    renumber_actions,
)
from tem_vae.worlds.ring import RingWorlds
from tem_vae.worlds.torus import TorusWorlds
from tem_vae.worlds.world import (
    NO_LINK,
    STAY,
    STAY_NUMBER,
    Range,
    World,
    Worlds,
    WorldSource,
    check_range,
)

__all__ = [
    "NO_LINK",
    "STAY",
    "STAY_NUMBER",
    "ActionMismatchError",
    "GraphWorlds",
    "HexagonalWorlds",
    "ObstructedWorlds",
    "Range",
    "RectangularWorlds",
    "RelabelledWorlds",
    "RingWorlds",
    "Step",
    "TorusWorlds",
    "World",
    "WorldFileError",
    "WorldGraph",
    "WorldSource",
    "Worlds",
    "check_actions",
    "check_range",
    "find_contradiction",
    "opposite_actions",
    "read_graph",
    "renumber_actions",
]
