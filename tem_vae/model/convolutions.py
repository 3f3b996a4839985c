"""Images: an encoder that halves them until little is left, and a decoder that doubles them again.

Convolutions of stride 2 with a kernel of 4, GELU between them, channels that double as pixels are quartered,
a hidden layer at the narrow end: the networks of DCGAN (Radford, Metz & Chintala 2016) without its batch
normalisation, which would let one percept depend on others.
"""

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from tem_vae.model.decoders import PerceptDecoder
from tem_vae.model.parts import Likelihood

SMALLEST_IMAGE = 8
_SMALLEST_INSIDE = 4
_MOST_CHANNELS = 8  # times those of the first layer


class ConvolutionalEncoder(nn.Module):
    """Convolutions, a hidden layer, then normalisation to squared norm N: the gauge of the codes.

    Args:
        percept_shape: (rows, columns) or (channels, rows, columns), 8 pixels or more a side.
        channels: Of the first layer.
        hidden_dim: Width of the hidden layer.
        code_dim: N, the dimension of a code.
    """

    def __init__(self, percept_shape: tuple[int, ...], channels: int, hidden_dim: int, code_dim: int) -> None:
        super().__init__()
        self.percept_shape = percept_shape
        self.code_dim = code_dim
        depths, sizes = _layers(percept_shape, channels)
        convolutions = [
            layer
            for inner, outer in itertools.pairwise(depths)
            for layer in (nn.Conv2d(inner, outer, kernel_size=4, stride=2, padding=1), nn.GELU())
        ]
        rows, columns = sizes[-1]
        self.layers = nn.Sequential(
            *convolutions,
            nn.Flatten(),
            nn.Linear(depths[-1] * rows * columns, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, code_dim),
        )

    def forward(self, percepts: Tensor) -> Tensor:
        """Codes of mean 0 and squared norm N, (*, *percept_shape) -> (*, N), in float32 or better."""
        batch = percepts.shape[: percepts.ndim - len(self.percept_shape)]
        code: Tensor = self.layers(percepts.reshape(-1, *_with_channels(self.percept_shape)))
        return F.layer_norm(code, (self.code_dim,)).to(percepts.dtype).reshape(*batch, self.code_dim)


class ConvolutionalDecoder(PerceptDecoder):
    """A hidden layer, then transposed convolutions: the encoder's layers the other way round.

    Args:
        rank: M, the dimension of E z.
        channels: Of the last layer but one.
        hidden_dim: Width of the hidden layer.
        percept_shape: (rows, columns) or (channels, rows, columns), 8 pixels or more a side.
        likelihood: The density of a percept.
    """

    def __init__(
        self,
        rank: int,
        channels: int,
        hidden_dim: int,
        percept_shape: tuple[int, ...],
        likelihood: Likelihood,
    ) -> None:
        super().__init__(percept_shape, likelihood)
        depths, sizes = _layers(percept_shape, channels)
        depths, sizes = depths[::-1], sizes[::-1]
        layers: list[nn.Module] = [
            nn.Linear(rank, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, depths[0] * sizes[0][0] * sizes[0][1]),
            nn.Unflatten(1, (depths[0], *sizes[0])),
        ]
        for (inner, outer), (small, large) in zip(
            itertools.pairwise(depths), itertools.pairwise(sizes), strict=True
        ):
            odd = (large[0] - 2 * small[0], large[1] - 2 * small[1])
            layers += [
                nn.GELU(),
                nn.ConvTranspose2d(inner, outer, 4, stride=2, padding=1, output_padding=odd),
            ]
        self.layers = nn.Sequential(*layers)

    def outputs(self, embedded: Tensor) -> Tensor:
        """What the likelihood is given, (*, M) -> (*, *percept_shape)."""
        images: Tensor = self.layers(embedded.flatten(0, -2) if embedded.ndim > 1 else embedded[None])
        return images.reshape(*embedded.shape[:-1], *self.percept_shape).to(embedded.dtype)


def _with_channels(percept_shape: tuple[int, ...]) -> tuple[int, ...]:
    """(channels, rows, columns); grey images have one channel."""
    return percept_shape if len(percept_shape) == 3 else (1, *percept_shape)


def _layers(percept_shape: tuple[int, ...], channels: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Channels and sizes of an image before the first and after every convolution.

    Raises:
        ValueError: There is no image of such a shape, or it is too small.
    """
    if len(percept_shape) not in (2, 3) or min(percept_shape[-2:]) < SMALLEST_IMAGE:
        raise ValueError(
            f"convolutions need images of {SMALLEST_IMAGE} pixels or more a side, (rows, columns) or "
            f"(channels, rows, columns), but percepts have the shape {percept_shape}."
        )
    depth, rows, columns = _with_channels(percept_shape)
    depths, sizes = [depth], [(rows, columns)]
    while min(sizes[-1]) >= 2 * _SMALLEST_INSIDE:
        depths.append(channels * min(2 ** (len(sizes) - 1), _MOST_CHANNELS))
        sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
    return depths, sizes
