"""From what a network knows before a step to a density of the percept there."""

import math
from typing import Protocol

import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor, nn

from tem_vae.data import WalkSource
from tem_vae.data.source import References
from tem_vae.model.parts import Decoder
from tem_vae.studies.rivals.contract import one_hot

_COMPONENTS = 64  # as many as the TEM VAE has prototypes
_PERCEPTS_TO_BEGIN_WITH = 4096


class Head(Protocol):
    """A module: the density of a percept given states, (*, width)."""

    def prepare(self, walks: WalkSource, seed: int) -> None:
        """Begin at training percepts, before any update."""

    def log_prob(self, percepts: Tensor, states: Tensor) -> Tensor:
        """Log density in nats, all constants included, (*, *percept_shape), (*, width) -> (*)."""

    def expected(self, states: Tensor) -> Tensor:
        """The percept to expect, (*, *percept_shape)."""

    def class_probabilities(self, states: Tensor) -> Tensor | None:
        """That the percept is of each class, (*, classes); None where classes are not known."""


class MixtureHead(nn.Module):
    r"""A mixture of Gaussians at learned means, with weights that a network decides.

    .. math:: p(x|h) = \sum_j \mathrm{softmax}(A h)_j\, N(x; m_j, \sigma^2 I)

    So a network that does not know which of several percepts comes can say so, as a density of one mode
    cannot. Means begin at those of k-means on training percepts. Classes play no part in training; for
    scores, a component stands for the classes of the labelled training percepts that it explains.

    Args:
        width: Of the states.
        percept_dim: Numbers of a percept.
        noise: σ.
    """

    means: Tensor
    references: Tensor
    reference_classes: Tensor

    def __init__(self, width: int, percept_dim: int, noise: float) -> None:
        super().__init__()
        self.weights = nn.Linear(width, _COMPONENTS)
        self.means = nn.Parameter(torch.zeros(_COMPONENTS, percept_dim))
        self.noise = noise
        self.register_buffer("references", torch.empty(0, percept_dim), persistent=False)
        self.register_buffer("reference_classes", torch.empty(0, 0), persistent=False)

    def prepare(self, walks: WalkSource, seed: int) -> None:
        """Begin at the means that k-means finds in training percepts."""
        rng = np.random.default_rng(seed)
        seen: list[Tensor] = []
        while sum(map(len, seen)) < _PERCEPTS_TO_BEGIN_WITH:
            batch = walks.sample(rng)
            seen.append(batch.percepts[batch.seen].flatten(1))
        percepts = torch.cat(seen)[:_PERCEPTS_TO_BEGIN_WITH]
        distinct = torch.unique(percepts, dim=0)
        if len(distinct) > _COMPONENTS:
            found = KMeans(_COMPONENTS, n_init=1, random_state=seed).fit(percepts.numpy())
            distinct = torch.from_numpy(found.cluster_centers_).float()
        with torch.no_grad():  # of fewer percepts than components, some are there more than once
            self.means.copy_(distinct[torch.arange(_COMPONENTS) % len(distinct)])
        self._remember(walks.references(), walks.n_classes)

    def _remember(self, references: References | None, n_classes: int | None) -> None:
        if references is not None and n_classes is not None:
            self.references = torch.from_numpy(references.percepts).flatten(1)
            self.reference_classes = one_hot(torch.from_numpy(references.classes), n_classes)

    def log_prob(self, percepts: Tensor, states: Tensor) -> Tensor:
        """Log density in nats, (*, *percept_shape), (*, width) -> (*)."""
        rows = percepts.reshape(*states.shape[:-1], -1)
        return torch.logsumexp(self.log_weights(states) + self.log_components(rows), dim=-1)

    def log_weights(self, states: Tensor) -> Tensor:
        """Log weights of the components, (*, components)."""
        weights: Tensor = self.weights(states)
        return weights.log_softmax(dim=-1)

    def log_components(self, percepts: Tensor) -> Tensor:
        """Log density of every component, (*, percept_dim) -> (*, components)."""
        squared = percepts.square().sum(-1, keepdim=True) - 2 * percepts @ self.means.T
        squared = squared + self.means.square().sum(-1)
        constant = 0.5 * self.means.shape[-1] * math.log(2 * math.pi * self.noise**2)
        return -0.5 * squared / self.noise**2 - constant

    def expected(self, states: Tensor) -> Tensor:
        """The mean of the heaviest component, (*, percept_dim)."""
        return self.means[self.weights(states).argmax(dim=-1)]

    def class_probabilities(self, states: Tensor) -> Tensor | None:
        """Σ_j weight_j p(class | j), (*, classes)."""
        if not len(self.references):
            return None
        explained = self.log_components(self.references).softmax(dim=-1).T @ self.reference_classes
        even = explained.sum() / explained.numel() * 1e-6  # of a component that explains nothing
        names = (explained + even) / (explained + even).sum(dim=-1, keepdim=True)
        return self.log_weights(states).exp() @ names


class DecoderHead(nn.Module):
    """The decoder and the likelihood that the TEM VAE has on the same walks, of one mode.

    Args:
        decoder: From states to a density.
    """

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def prepare(self, walks: WalkSource, seed: int) -> None:
        """Begin with fresh weights."""

    def log_prob(self, percepts: Tensor, states: Tensor) -> Tensor:
        """Log density in nats, (*, *percept_shape), (*, width) -> (*)."""
        return self.decoder.log_prob(percepts, states)

    def expected(self, states: Tensor) -> Tensor:
        """The mean, (*, *percept_shape)."""
        return self.decoder(states)

    def class_probabilities(self, states: Tensor) -> Tensor | None:
        """None: nothing here is a class."""
        return None
