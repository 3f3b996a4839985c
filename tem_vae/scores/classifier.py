"""A classifier fixed in advance, so that decoded percepts can be scored."""

import torch
from torch import Tensor, nn


class NearestPercept(nn.Module):
    """The class of the nearest reference percept, in Euclidean distance.

    It is no part of the model and learns nothing: what it calls right depends on the decoded percept only.

    Args:
        percepts: References, (references, *percept_shape).
        classes: Their classes, (references,).
    """

    percepts: Tensor
    classes: Tensor
    _chunk = 4096

    def __init__(self, percepts: Tensor, classes: Tensor) -> None:
        super().__init__()
        self.register_buffer("percepts", percepts, persistent=False)
        self.register_buffer("classes", classes, persistent=False)

    def forward(self, percepts: Tensor) -> Tensor:
        """Classes, (*, *percept_shape) -> (*)."""
        references = self.percepts.flatten(1)
        rows = percepts.reshape(-1, references.shape[1])
        # Of all references the nearest has the largest x · r − ½‖r‖².
        half = -0.5 * references.square().sum(dim=1)
        chunks = torch.split(rows, self._chunk)
        nearest = [torch.addmm(half, chunk, references.mT).max(dim=1).indices for chunk in chunks]
        return self.classes[torch.cat(nearest)].reshape(
            percepts.shape[: percepts.ndim - self.percepts.ndim + 1]
        )
