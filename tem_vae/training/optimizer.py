"""AdamW, with rates of its own for path integration and doubts; and how much memory forgets in training."""

import math
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from tem_vae.config.training import OptimizerConfig
from tem_vae.model import TemVae
from tem_vae.model.memory import MemoryPrior
from tem_vae.model.parts import Memory


def build_optimizer(
    model: TemVae, config: OptimizerConfig, updates: int
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """The optimiser of a model, and the schedule that is to step after every update.

    Args:
        model: Whose parameters are updated.
        config: The rates.
        updates: How many there will be.
    """
    # In the order of the model in every process: a continued run knows parameters by their places.
    rotations = list(model.integrator.parameters())
    doubts = [*model.belief.parameters(), *_transitions(model.memory)] if model.belief else []
    others = [p for p in model.parameters() if p not in {*rotations, *doubts}]
    moving = config.learning_rate * config.path_integration_factor
    groups: list[dict[str, Any]] = [
        {"params": others, "name": "model"},
        {"params": rotations, "lr": moving, "weight_decay": 0.0, "name": "path_integration"},
    ]
    if doubts:
        groups.append({"params": doubts, "lr": moving, "weight_decay": 0.0, "name": "belief"})
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    factor = partial(learning_rate_factor, updates=updates, warmup=config.warmup_updates)
    return optimizer, LambdaLR(optimizer, factor)


def continues(saved: dict[str, Any], optimizer: torch.optim.Optimizer) -> bool:
    """Whether the saved state of an optimiser is of as many parameters in every group as this one has."""
    before, now = (
        [len(group["params"]) for group in groups]
        for groups in (saved["param_groups"], optimizer.param_groups)
    )
    return before == now


def _transitions(memory: Memory) -> list[nn.Parameter]:
    """By which one percept at a place tells of the next: what hypotheses are weighed by.

    At the rate of codes they are not there yet when the run ends: a percept at another place is then never
    improbable enough to say that one is not there.
    """
    prototypes = memory.prototypes if isinstance(memory, MemoryPrior) else None
    return [prototypes.transition_logits] if prototypes else []


def learning_rate_factor(update: int, updates: int, warmup: int) -> float:
    """What the peak rate is multiplied by: a linear rise, times a cosine that falls to 0.

    Args:
        update: How many updates were made.
        updates: How many there will be.
        warmup: Over how many the rate rises.
    """
    rise = min(1.0, (update + 1) / (warmup + 1))
    return rise * 0.5 * (1 + math.cos(math.pi * update / max(updates, 1)))


def forgetting(update: int, updates: int, config: OptimizerConfig) -> float:
    """Nats of weight that a memory loses a step of age; where it fades, with the square of the time left."""
    if config.forgetting_until is None:
        return config.initial_forgetting
    until = config.forgetting_until * updates
    return config.initial_forgetting * max(0.0, 1 - update / until) ** 2 if until > 0 else 0.0
