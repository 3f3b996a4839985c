"""From a checked configuration to the objects it describes; nothing but what is named here can be built."""

from tem_vae.config.model import ModelConfig
from tem_vae.config.networks import WalkShape
from tem_vae.model import LeakyTemVae, Standardizer, TemVae


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
        belief=config.belief.build(walks),
    )
