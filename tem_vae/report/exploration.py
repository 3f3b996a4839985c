"""What a model expected and encoded on held-out walks: the raw material of the statistics."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.data import StepKinds, Walks, classify_steps, concatenate
from tem_vae.model import TemVae
from tem_vae.scores.prediction import remembered_class


@dataclass(frozen=True)
class Exploration:
    """Held-out walks and what the model made of every step.

    Attributes:
        walks: What happened.
        kinds: Which steps are evidence of what.
        remembered: The class that memory leads one to expect, (walks, time).
        novelty: The weight of the null component, (walks, time).
        whitened: Whitened reference codes w(c_t), (walks, time, M).
        memory_scale: eps_m, the scale of the neighborhoods of memories.
        n_classes: Classes of percepts.
    """

    walks: Walks
    kinds: StepKinds
    remembered: Tensor
    novelty: Tensor
    whitened: Tensor
    memory_scale: float
    n_classes: int


@torch.no_grad()
def explore(model: TemVae, batches: Iterable[Walks], n_classes: int) -> Exploration:
    """Let the model predict every step of the walks.

    Args:
        model: The model.
        batches: The walks, as many at once as memory allows.
        n_classes: Classes of percepts.
    """
    walks, remembered, novelty, whitened = [], [], [], []
    for batch in batches:
        inference = model.infer(batch.percepts, batch.actions)
        weights = inference.prior.log_weights.exp()
        walks.append(batch)
        remembered.append(remembered_class(weights[..., 1:], batch.known("classes"), n_classes))
        novelty.append(weights[..., 0])
        whitened.append(inference.posterior.whitened_center)
    joined = concatenate(walks)
    return Exploration(
        walks=joined,
        kinds=classify_steps(joined.known("places"), joined.mask),
        remembered=torch.cat(remembered),
        novelty=torch.cat(novelty),
        whitened=torch.cat(whitened),
        memory_scale=float(inference.prior.components.scale.flatten()[0]),
        n_classes=n_classes,
    )
