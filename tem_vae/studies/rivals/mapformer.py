"""A transformer whose rotary angles are sums of learned increments of actions: the idea of MapFormer.

After Rambaud et al. 2025, "MapFormer: Self-Supervised Learning of Cognitive Maps with Input-Dependent
Positional Embeddings", arXiv:2511.19279, the variant WM. What differs is in docs/comparison.md.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tem_vae.studies.rivals.predictor import Hidden
from tem_vae.studies.rivals.transformer import HEAD_DIM, feed_forward, join_heads, rotate, split_heads

_INCREMENT_RANK = 2
_SLOWEST = 1 / 64  # of the fastest turn: as many steps as the largest world here has


class MapFormerNetwork(nn.Module):
    r"""One layer of attention from every action to the percepts before it, by where they were made.

    .. math:: \theta_t = \omega \sum_{s \le t} \Delta(a_s), \qquad \Delta = W_{out} W_{in} a

    A query stands where its action has led, a key where its percept was seen, so that their product depends
    on the actions between the two alone.

    Args:
        width: Of tokens, a multiple of 32: heads have 32 numbers.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        heads, pairs = width // HEAD_DIM, HEAD_DIM // 2
        self.start = nn.Parameter(torch.randn(width))
        self.increments = nn.Sequential(
            nn.Linear(width, _INCREMENT_RANK, bias=False),
            nn.Linear(_INCREMENT_RANK, heads * pairs, bias=False),
        )
        turns = 2 * math.pi * _SLOWEST ** (torch.arange(pairs) / (pairs - 1))
        self.frequencies = nn.Parameter(turns.repeat(heads, 1))
        self.of_moves, self.of_codes = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries = nn.Linear(width, width)
        self.keys = nn.Linear(width, width)
        self.values = nn.Linear(width, width, bias=False)
        self.write = nn.Linear(width, width, bias=False)
        self.feed_forward = feed_forward(width)
        self.norm = nn.LayerNorm(width)

    def angles(self, moves: Tensor) -> Tensor:
        """θ where each percept is seen, (batch, time - 1, width) -> (batch, heads, time, HEAD_DIM / 2)."""
        steps = self.increments(moves).reshape(*moves.shape[:-1], *self.frequencies.shape) * self.frequencies
        return F.pad(steps.cumsum(dim=1), (0, 0, 0, 0, 1, 0)).transpose(1, 2)

    def forward(self, codes: Tensor, moves: Tensor) -> Hidden:
        """States before every step, (batch, time, width)."""
        angles = self.angles(moves)
        asked, known = self.of_moves(moves), self.of_codes(codes[:, :-1])
        queries = rotate(split_heads(self.queries(asked)), angles[:, :, 1:])
        keys = rotate(split_heads(self.keys(known)), angles[:, :, :-1])
        # The action number t leads from percept t, which it may attend to, to percept t + 1.
        found = F.scaled_dot_product_attention(queries, keys, split_heads(self.values(known)), is_causal=True)
        tokens = moves + self.write(join_heads(found))
        tokens = torch.cat([self.start.expand(len(codes), 1, -1), tokens], dim=1)
        return Hidden(self.norm(tokens + self.feed_forward(tokens)))
