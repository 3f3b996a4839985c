"""AdamW, with a rate and a schedule of its own for path integration."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from tem_vae.model import TemVae
from tem_vae.training.config import OptimizerConfig
from tem_vae.training.schedules import learning_rate_share, path_integration_share


def build_optimizer(
    model: TemVae, config: OptimizerConfig, updates: int
) -> tuple[torch.optim.Optimizer, LambdaLR]:
    """The optimiser of a model, and the schedule that is to step after every update.

    Args:
        model: Whose parameters are updated.
        config: Rates and delays.
        updates: How many there will be.
    """
    rotations = set(model.integrator.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p not in rotations], "name": "model"},
        {
            "params": list(rotations),
            "lr": config.learning_rate * config.path_integration_factor,
            "weight_decay": 0.0,
            "name": "path_integration",
        },
    ]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    shares: list[Callable[[int], float]] = [
        partial(learning_rate_share, updates=updates, warmup=config.warmup_updates),
        partial(path_integration_share, updates=updates, config=config),
    ]
    return optimizer, LambdaLR(optimizer, shares)
