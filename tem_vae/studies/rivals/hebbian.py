r"""The fast weights of the Tolman-Eichenbaum Machine: a matrix a walk that learns at every step.

After Whittington et al. 2020, "The Tolman-Eichenbaum Machine", Cell 183, methods:

.. math:: M_{t+1} = \lambda M_t + \eta\, (p_t - \hat p_t)(p_t + \hat p_t)^T \circ C, \qquad
          h \leftarrow f(\kappa h + M h)

with p what was stored, p̂ what had been retrieved, C the connections from modules of low frequency to those of
higher or equal frequency, and f a leaky rectifier, clipped.
"""

import torch
from torch import Tensor

FORGETTING = 0.9999  # λ
REMEMBERING = 0.5  # η
PERSISTENCE = 0.8  # κ


def activate(cells: Tensor) -> Tensor:
    """f: a leaky rectifier, clipped to [-1, 1]."""
    return torch.nn.functional.leaky_relu(cells.clamp(-1, 1))


class HebbianMemory:
    """The weights of a batch of walks.

    Those of the last rollout are kept as the vectors they are made of, so that gradients reach these; those
    of earlier ones as matrices, without gradients.

    Args:
        batch: Walks.
        modules: Of cells, from the highest frequency to the lowest.
        cells: In a module.
        like: A tensor of the device and dtype to use.
    """

    def __init__(self, batch: int, modules: int, cells: int, like: Tensor) -> None:
        self.shape = (batch, modules, cells)
        size = modules * cells
        self._old = like.new_zeros(batch, size, size)
        self._written: list[Tensor] = []
        self._read: list[Tensor] = []
        self._stacked: tuple[Tensor, Tensor] | None = None
        # allowed[f, g]: from module f to module g, whose frequency is at least as high.
        self._allowed = like.new_ones(modules, modules).tril()
        self._mask = self._allowed.repeat_interleave(cells, 0).repeat_interleave(cells, 1)

    def learn(self, stored: Tensor, retrieved: Tensor) -> None:
        """One step of learning: p and p̂, (batch, modules, cells) each."""
        self._written.append(stored - retrieved)
        self._read.append(stored + retrieved)
        self._stacked = None

    def retrieve(self, query: Tensor) -> Tensor:
        """The cells that the attractor ends at from a query, (batch, modules, cells); one step a module."""
        cells = activate(query)
        recent = self._recent()
        for _ in range(self.shape[1]):
            cells = activate(PERSISTENCE * cells + self._follow(cells, recent))
        return cells

    def _recent(self) -> tuple[Tensor, Tensor] | None:
        """Vectors of the rollout with their factors, (batch, steps, modules, cells) each."""
        if self._written and self._stacked is None:
            ages = torch.arange(len(self._written) - 1, -1, -1, device=self._old.device)
            factors = (REMEMBERING * FORGETTING**ages)[:, None, None]
            self._stacked = torch.stack(self._written, dim=1) * factors, torch.stack(self._read, dim=1)
        return self._stacked

    def _follow(self, cells: Tensor, recent: tuple[Tensor, Tensor] | None) -> Tensor:
        """M h."""
        faded = FORGETTING ** len(self._written)
        followed = faded * (cells.flatten(1).unsqueeze(1) @ self._old).reshape(self.shape)
        if recent is None:
            return followed
        written, read = recent
        match = (read * cells.unsqueeze(1)).sum(dim=-1) @ self._allowed
        return followed + (match.unsqueeze(-1) * written).sum(dim=1)

    def end_rollout(self) -> None:
        """Turn the vectors of the rollout into weights; gradients go back no further."""
        if (recent := self._recent()) is None:
            return
        written, read = (part.detach().flatten(2) for part in recent)
        faded = FORGETTING ** len(self._written) * self._old
        # A row is where a connection comes from, a column where it goes.
        self._old = faded + (read.mT @ written) * self._mask
        self._written, self._read, self._stacked = [], [], None
