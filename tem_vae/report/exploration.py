"""What a model expected and encoded on held-out walks: the material of all statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tem_vae.data import StepKinds, Walks, classify_steps, concatenate
from tem_vae.model import TemVae
from tem_vae.scores.prediction import remembered_class


@dataclass(frozen=True)
class Exploration:
    """Held-out walks and what the model expected and encoded at every step.

    Attributes:
        walks: The walks.
        novelty: The weight of the null component, (walks, time).
        whitened: Whitened reference codes w(c_t), (walks, time, M).
        memory_scale: eps_m, the scale of the neighborhoods of memories.
        n_classes: Classes of percepts; None where they are not known.
        remembered: The class that memory leads one to expect, (walks, time); None without classes.
    """

    walks: Walks
    novelty: Tensor
    whitened: Tensor
    memory_scale: float
    n_classes: int | None
    remembered: Tensor | None

    @cached_property
    def kinds(self) -> StepKinds:
        """How each step arrived.

        Raises:
            UnknownTruthError: Places are not known.
        """
        return classify_steps(self.walks.known("places"), self.walks.seen)


@torch.no_grad()
def explore(model: TemVae, batches: Sequence[Walks], n_classes: int | None) -> Exploration:
    """Let the model predict every step of the walks.

    Args:
        model: The model.
        batches: The walks, as many at once as memory allows.
        n_classes: Classes of percepts; None where they are not known.
    """
    remembered, novelty, whitened = [], [], []
    for batch in batches:
        inference = model.infer(batch.percepts, batch.actions)
        if batch.classes is not None and n_classes is not None:
            remembered.append(remembered_class(inference.prior, batch.classes, n_classes))
        novelty.append(inference.prior.novelty)
        whitened.append(inference.posterior.whitened_center)
    return Exploration(
        walks=concatenate(batches),
        novelty=_join(novelty),
        whitened=_join(whitened),
        memory_scale=float(model.memory.memory_scale),
        n_classes=n_classes,
        remembered=_join(remembered) if remembered else None,
    )


def _join(parts: Sequence[Tensor]) -> Tensor:
    """Rows of all parts, zeros behind the shorter ones."""
    return pad_sequence([row for part in parts for row in part], batch_first=True)
