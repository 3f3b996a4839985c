"""What changes in the course of training, as functions of the share of it that is done."""

import math

from tem_vae.training.config import OptimizerConfig


def learning_rate_share(update: int, updates: int, warmup: int) -> float:
    """The share of the peak rate in force: a linear rise, times a cosine that falls to 0.

    Args:
        update: How many updates were made.
        updates: How many there will be.
        warmup: Over how many the rate rises.
    """
    rise = min(1.0, (update + 1) / (warmup + 1))
    return rise * 0.5 * (1 + math.cos(math.pi * update / max(updates, 1)))


def path_integration_share(update: int, updates: int, config: OptimizerConfig) -> float:
    """The same for path integration, which waits.

    While codes say nothing yet, the bound falls when every memory looks far away: rotations that learned from
    it would drive opposite actions apart, some of them for good.
    """
    rise = (update - config.path_integration_delay) / max(config.warmup_updates, 1)
    return min(1.0, max(0.0, rise)) * learning_rate_share(update, updates, config.warmup_updates)


def forgetting(update: int, updates: int, config: OptimizerConfig) -> float:
    """Nats of weight that a memory loses a step of age; falls to 0 with the square of the time left."""
    until = config.forgetting_until * updates
    return config.initial_forgetting * max(0.0, 1 - update / until) ** 2 if until > 0 else 0.0
