"""A causal transformer with rotary positions (Vaswani et al. 2017; Su et al. 2021, arXiv:2104.09864)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tem_vae.studies.rivals.predictor import Hidden, PastTokens

HEAD_DIM = 32
_LAYERS = 2  # one to see what followed what, one to find it again
_LONGEST_WAVE = 10_000.0


def rotate(vectors: Tensor, angles: Tensor) -> Tensor:
    """Turn pairs of numbers by angles, (*, time, D), (*, time, D/2) -> (*, time, D)."""
    first, second = vectors.chunk(2, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def split_heads(vectors: Tensor) -> Tensor:
    """(batch, time, width) -> (batch, heads, time, HEAD_DIM)."""
    return vectors.reshape(*vectors.shape[:-1], -1, HEAD_DIM).transpose(1, 2)


def join_heads(vectors: Tensor) -> Tensor:
    """(batch, heads, time, HEAD_DIM) -> (batch, time, width)."""
    return vectors.transpose(1, 2).flatten(2)


def feed_forward(width: int) -> nn.Sequential:
    """The second half of a layer, normalised before."""
    return nn.Sequential(
        nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
    )


class _Layer(nn.Module):
    """Causal self-attention with rotary positions, then a feed-forward network; both normalised before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(width, 3 * width, bias=False)
        self.write = nn.Linear(width, width, bias=False)
        self.feed_forward = feed_forward(width)

    def forward(self, tokens: Tensor, angles: Tensor) -> Tensor:
        queries, keys, values = (split_heads(part) for part in self.read(self.norm(tokens)).chunk(3, dim=-1))
        found = F.scaled_dot_product_attention(
            rotate(queries, angles), rotate(keys, angles), values, is_causal=True
        )
        tokens = tokens + self.write(join_heads(found))
        grown: Tensor = tokens + self.feed_forward(tokens)
        return grown


class TransformerNetwork(nn.Module):
    """Layers of causal attention over tokens of percept and action; positions are numbers of steps.

    Args:
        width: Of tokens, a multiple of 32: heads have 32 numbers.
    """

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tokens = PastTokens(width)
        self.layers = nn.ModuleList(_Layer(width) for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(width)
        exponents = torch.arange(HEAD_DIM // 2) / (HEAD_DIM // 2)
        self.register_buffer("frequencies", _LONGEST_WAVE**-exponents, persistent=False)

    def forward(self, codes: Tensor, moves: Tensor) -> Hidden:
        """States before every step, (batch, time, width)."""
        tokens = self.tokens(codes, moves)
        angles = torch.arange(tokens.shape[1], device=tokens.device)[:, None] * self.frequencies
        for layer in self.layers:
            tokens = layer(tokens, angles)
        return Hidden(self.norm(tokens))
