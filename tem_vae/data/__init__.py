"""Walks through worlds, and what is perceived on them."""

from tem_vae.data.from_arrays import as_walks
from tem_vae.data.held_out import HeldOutWalks, WalkBatches, walks_at_once
from tem_vae.data.percepts import Digits, Sentences, Symbols
from tem_vae.data.policy import MomentumPolicy, Policy, RunsPolicy
from tem_vae.data.recorded import RecordedWalks, WalksFileError, load_walks, open_recording, save_walks
from tem_vae.data.simulated import SimulatedWalks
from tem_vae.data.source import PerceptSource, WalkSource
from tem_vae.data.walk import (
    StepKinds,
    Truth,
    UnknownTruthError,
    Walks,
    classify_steps,
    concatenate,
    occurred_before,
)
from tem_vae.worlds import (
    GraphWorlds,
    HexagonalWorlds,
    ObstructedWorlds,
    RectangularWorlds,
    RelabelledWorlds,
    RingWorlds,
    TorusWorlds,
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
    "Policy",
    "RecordedWalks",
    "RectangularWorlds",
    "RelabelledWorlds",
    "RingWorlds",
    "RunsPolicy",
    "Sentences",
    "SimulatedWalks",
    "StepKinds",
    "Symbols",
    "TorusWorlds",
    "Truth",
    "UnknownTruthError",
    "WalkBatches",
    "WalkSource",
    "Walks",
    "WalksFileError",
    "WorldSource",
    "Worlds",
    "as_walks",
    "classify_steps",
    "concatenate",
    "load_walks",
    "occurred_before",
    "open_recording",
    "save_walks",
    "walks_at_once",
]
