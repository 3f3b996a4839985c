"""From a checked configuration to the objects it describes; nothing but what is named here can be built."""

from collections.abc import Sequence

from tem_vae.config.model import ModelConfig, WalkShape
from tem_vae.config.training import HeldOutConfig
from tem_vae.data import HeldOutWalks, PerceptSource, Policy, SimulatedWalks
from tem_vae.data.source import Split
from tem_vae.model import LeakyTemVae, Standardizer, TemVae
from tem_vae.worlds import renumber_actions

# (time, time) arrays of all walks evaluated at once hold about this many numbers, 32 MB in float32.
_LARGEST_ATTENTION = 8_000_000


def build_held_out(
    config: HeldOutConfig,
    percepts: PerceptSource,
    policy: Policy,
    blank: float,
    split: Split,
    actions: Sequence[str],
) -> HeldOutWalks:
    """A fixed set of walks, evaluated as many at once as keeps memory bounded.

    Args:
        config: Worlds and walks.
        percepts: What places look like.
        policy: How worlds are walked.
        blank: The share of places that are blank, in [0, 1).
        split: Which share of the percepts may be shown.
        actions: The names of the actions as the model numbers them.
    """
    worlds = renumber_actions(config.world.build(), actions)
    source = SimulatedWalks(worlds, percepts, policy, split, 1, config.walk_length, blank)
    at_once = max(1, min(config.walks, _LARGEST_ATTENTION // config.walk_length**2))
    return HeldOutWalks(source, config.seed, config.walks, batch_size=at_once)


def build_model(config: ModelConfig, walks: WalkShape) -> TemVae:
    """A model with fresh weights, drawn from torch's global generator.

    Args:
        config: Its parts.
        walks: What walks it is for.
    """
    rank, scale, code_dim = config.metric.rank, config.neighborhood.scale, config.code_dim
    encoder = config.encoder.build(walks.percept_shape, code_dim)
    decoder_input, variant = (rank, TemVae) if config.decoder.reads == "embedded" else (code_dim, LeakyTemVae)
    return variant(
        encoder=encoder,
        metric=config.metric.build(code_dim),
        integrator=config.path_integration.build(walks),
        memory=config.memory.build(code_dim, rank, scale),
        decoder=config.decoder.build(decoder_input, walks.percept_shape),
        scale=scale,
        standardizer=Standardizer(walks.percept_shape) if walks.standardize else None,
    )
