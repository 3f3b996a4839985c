"""What agents without a model get right on the same walks.

Each returns predicted classes, (batch, time); -1 where the agent has nothing to say, which counts as wrong.
"""

import torch
from torch import Tensor

from tem_vae.data import StepKinds

UNKNOWN = -1


def node_agent(classes: Tensor, kinds: StepKinds, n_classes: int) -> Tensor:
    """Perfect memory of places: right on every revisit, else the majority so far."""
    return torch.where(kinds.revisit, classes, majority_agent(classes, n_classes))


def edge_agent(classes: Tensor, kinds: StepKinds, n_classes: int) -> Tensor:
    """Perfect memory of walked links, in both directions: right on known links, else the majority."""
    return torch.where(kinds.known_link, classes, majority_agent(classes, n_classes))


def majority_agent(classes: Tensor, n_classes: int) -> Tensor:
    """The class perceived most often so far in the walk; the smallest of several."""
    seen = torch.nn.functional.one_hot(classes, n_classes).cumsum(dim=1)
    majority = seen.argmax(dim=-1)
    return torch.cat([torch.full_like(classes[:, :1], UNKNOWN), majority[:, :-1]], dim=1)


def copy_agent(classes: Tensor) -> Tensor:
    """The class perceived at the last step."""
    return torch.cat([torch.full_like(classes[:, :1], UNKNOWN), classes[:, :-1]], dim=1)
