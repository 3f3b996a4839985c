"""How near to a location memories were made, of every step of walks, without an array of all pairs."""

from typing import NamedTuple

import torch
from torch import Tensor

from tem_vae.geometry.precision import matmul


class Nearness(NamedTuple):
    """Logits of having been made near a location, q_t · k_s + offset_t, at most 0.

    Attributes:
        queries: q_t, (batch, time, D).
        keys: k_s, (batch, time, D).
        offset: Broadcasts with (batch, time).
    """

    queries: Tensor
    keys: Tensor
    offset: Tensor

    def forget(self, nats: float) -> "Nearness":
        """The same less so many nats for every step of age: one more feature, since age is t − s."""
        time = self.keys.shape[1]
        steps = torch.arange(time, dtype=self.keys.dtype, device=self.keys.device) - time // 2
        faded = (nats * steps).expand(len(self.keys), time).unsqueeze(-1)
        return Nearness(
            torch.cat([self.queries, torch.ones_like(faded)], dim=-1),
            torch.cat([self.keys, faded], dim=-1),
            self.offset - nats * steps,
        )

    def rows(self, first: int, last: int) -> Tensor:
        """Steps first to last - 1 on steps 0 to last - 1, (batch, last - first, last)."""
        offset = self.offset.expand(self.keys.shape[:2])[:, first:last]
        return matmul(self.queries[:, first:last], self.keys[:, :last].mT) + offset.unsqueeze(-1)

    def beginning(self, steps: int) -> "Nearness":
        """Of the first steps of every walk."""
        offset = self.offset.expand(self.keys.shape[:2])[:, :steps]
        return Nearness(self.queries[:, :steps], self.keys[:, :steps], offset)
