"""Walks through worlds, and what is perceived on them."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tem_vae.data.datamodule import HeldOutWalks, WalkDataModule, WalkSource
    from tem_vae.data.percepts import Digits, PerceptSource, Symbols
    from tem_vae.data.policy import MomentumPolicy
    from tem_vae.data.walk import StepKinds, Walks, classify_steps, occurred_before
    from tem_vae.data.worlds import (
        GraphWorlds,
        HexagonalWorlds,
        ObstructedWorlds,
        RectangularWorlds,
        RelabelledWorlds,
        RingWorlds,
        Worlds,
        WorldSource,
    )

__all__ = [
    "Digits",
    "GraphWorlds",
    "HeldOutWalks",
    "HexagonalWorlds",
    "MomentumPolicy",
    "ObstructedWorlds",
    "PerceptSource",
    "RectangularWorlds",
    "RelabelledWorlds",
    "RingWorlds",
    "StepKinds",
    "Symbols",
    "WalkDataModule",
    "WalkSource",
    "Walks",
    "WorldSource",
    "Worlds",
    "classify_steps",
    "occurred_before",
]

_HOMES = {
    "datamodule": ("HeldOutWalks", "WalkDataModule", "WalkSource"),
    "percepts": ("Digits", "PerceptSource", "Symbols"),
    "policy": ("MomentumPolicy",),
    "walk": ("StepKinds", "Walks", "classify_steps", "occurred_before"),
    "worlds": (
        "GraphWorlds",
        "HexagonalWorlds",
        "ObstructedWorlds",
        "RectangularWorlds",
        "RelabelledWorlds",
        "RingWorlds",
        "Worlds",
        "WorldSource",
    ),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a configuration is checked by its worlds, without torch and Lightning."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"tem_vae.data.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
