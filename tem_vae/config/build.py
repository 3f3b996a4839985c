"""From a checked configuration to the objects it describes; nothing but what is named here can be built."""

from collections.abc import Sequence
from typing import assert_never

from tem_vae.config.model import IdentityEncoderConfig, ModelConfig, StandardNormalMemoryConfig
from tem_vae.config.training import (
    DigitsConfig,
    HeldOutConfig,
    MomentumPolicyConfig,
    PerceptsConfig,
    PolicyConfig,
    RunsPolicyConfig,
    SymbolsConfig,
)
from tem_vae.data import (
    Digits,
    HeldOutWalks,
    MomentumPolicy,
    PerceptSource,
    Policy,
    RunsPolicy,
    SimulatedWalks,
    Symbols,
)
from tem_vae.data.percepts import Split
from tem_vae.geometry import Pseudometric
from tem_vae.model import (
    IdentityEncoder,
    LeakyTemVae,
    Memory,
    MemoryPrior,
    MlpDecoder,
    MlpEncoder,
    PathIntegrator,
    StandardNormalPrior,
    TemVae,
    diagonal_metric,
    euclidean_metric,
    random_metric,
)
from tem_vae.worlds import renumber_actions

# (time, time) arrays of all walks evaluated at once hold about this many numbers, 32 MB in float32.
_LARGEST_ATTENTION = 8_000_000


def build_percepts(config: PerceptsConfig) -> PerceptSource:
    """The percept source."""
    match config:
        case DigitsConfig():
            return Digits(config.seed)
        case SymbolsConfig():
            return Symbols(config.classes, config.dim, config.relevant_dim, config.seed)
        case _:
            assert_never(config)


def build_policy(config: PolicyConfig) -> Policy:
    """How worlds are walked."""
    match config:
        case MomentumPolicyConfig():
            return MomentumPolicy(config.momentum)
        case RunsPolicyConfig():
            return RunsPolicy(config.lengths)
        case _:
            assert_never(config)


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


def build_model(config: ModelConfig, percept_shape: tuple[int, ...], n_actions: int) -> TemVae:
    """A model with fresh weights, drawn from torch's global generator."""
    encoder = (
        IdentityEncoder(percept_shape)
        if isinstance(config.encoder, IdentityEncoderConfig)
        else MlpEncoder(percept_shape, config.encoder.hidden_dim, config.code_dim)
    )
    decoder = config.decoder
    decoder_input, variant = (
        (config.metric.rank, TemVae) if decoder.reads == "embedded" else (config.code_dim, LeakyTemVae)
    )
    return variant(
        encoder=encoder,
        metric=build_metric(config),
        integrator=PathIntegrator(
            n_actions, config.path_integration.channels, config.path_integration.initial_rotation
        ),
        memory=build_memory(config),
        decoder=MlpDecoder(decoder_input, decoder.hidden_dim, percept_shape, decoder.noise),
        scale=config.neighborhood.scale,
    )


def build_metric(config: ModelConfig) -> Pseudometric:
    """The pseudometric on codes."""
    metric = config.metric
    match metric.kind:
        case "learned":
            return Pseudometric(config.code_dim, metric.rank, metric.tau, metric.normalize)
        case "diagonal":
            return diagonal_metric(config.code_dim, metric.tau, metric.normalize)
        case "random":
            return random_metric(config.code_dim, metric.rank, metric.tau)
        case "euclidean":
            return euclidean_metric(config.code_dim, metric.tau)


def build_memory(config: ModelConfig) -> Memory:
    """The prior of a step given its past."""
    if isinstance(config.memory, StandardNormalMemoryConfig):
        return StandardNormalPrior(config.code_dim, config.metric.rank)
    return MemoryPrior(config.code_dim, config.neighborhood.scale, config.memory.initial_precision)
