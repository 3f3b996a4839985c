"""A network between encoder and head, trained by the Lightning module of the TEM VAE as if it were one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, WalkSource
from tem_vae.model import ElboTerms, Standardizer
from tem_vae.studies.rivals.contract import Forecast
from tem_vae.studies.rivals.heads import DecoderHead, Head, MixtureHead


class Hidden(NamedTuple):
    """What a network knows before every step.

    Attributes:
        states: Of percepts before t and actions up to the one that leads to t, (batch, time, width).
        lessons: Other states from which the percept at t is to be told, in training only; these may have seen
            it. (batch, time, width) each.
        penalty: What training adds to the loss, nats a step, (batch, time); None for nothing.
    """

    states: Tensor
    lessons: tuple[Tensor, ...] = ()
    penalty: Tensor | None = None


class Network(Protocol):
    """A module that reads a walk."""

    def __call__(self, codes: Tensor, moves: Tensor) -> Hidden:
        """What is known before every step.

        Args:
            codes: Of the percepts, (batch, time, width); zeros where one is missing.
            moves: Of the actions between them, (batch, time - 1, width).
        """


NetworkFactory = Callable[[int], Network]


class _NoMemory:
    """What the Lightning module wants to tell a memory, or to log of it: nothing here."""

    forgetting = 0.0

    def scalars(self) -> dict[str, Tensor]:
        return {}


@dataclass(frozen=True)
class _Read:
    """Walks as the network read them."""

    hidden: Hidden
    percepts: Tensor
    seen: Tensor


class PerceptPredictor(nn.Module):
    """Encoder, network and head, with what `TemVaeModule` asks of a model.

    Its bound is the exact log-likelihood: prior and posterior have nothing to say.

    Args:
        config: The encoder, the decoder and its noise are those that the TEM VAE has on these walks.
        walks: Training walks.
        build_network: Makes a network of a width.
        width: Of codes, moves and states.
        seed: Decides where the head begins.
    """

    belief = None

    def __init__(
        self, config: TrainConfig, walks: WalkSource, build_network: NetworkFactory, width: int, seed: int
    ) -> None:
        super().__init__()
        shape, model = config.data.walk_shape, config.model
        self.percept_shape = shape.percept_shape
        self.encoder = model.encoder.build(shape.percept_shape, model.code_dim)
        self.project = nn.Linear(model.code_dim, width)
        self.moves = _Moves(shape.n_actions, shape.action_dim, width)
        self.network = build_network(width)
        self.head: Head = (
            DecoderHead(model.decoder.build(width, shape.percept_shape))
            if walks.n_classes is None
            else MixtureHead(width, shape.percept_shape[0], model.decoder.noise)
        )
        self.standardizer = Standardizer(shape.percept_shape) if shape.standardize else None
        if self.standardizer:
            self.standardizer.fit(walks.every_percept())
        self.head.prepare(walks, seed)
        self.memory = _NoMemory()
        self.integrator = nn.Module()  # the optimiser asks what is to have a rate of its own

    def infer(self, percepts: Tensor, actions: Tensor) -> _Read:
        """Read walks, (batch, time, *percept_shape) and (batch, time - 1) or (batch, time - 1, A)."""
        seen = ~percepts.isnan().flatten(2).any(dim=-1)
        if percepts.dtype == torch.uint8:
            percepts = percepts.float() / 255
        percepts = percepts if self.standardizer is None else self.standardizer(percepts)
        percepts = percepts.masked_fill(~seen.reshape(*seen.shape, *(1,) * len(self.percept_shape)), 0)
        codes = self.project(self.encoder(percepts)) * seen.unsqueeze(-1)
        return _Read(self.network(codes, self.moves(actions)), percepts, seen)

    def bound(self, percepts: Tensor, read: _Read) -> ElboTerms:
        """The log-density as reconstruction; in training, what the network adds stands as the prior's."""
        hidden, nothing = read.hidden, torch.zeros_like(read.seen, dtype=torch.float32)
        log_prob = torch.where(read.seen, self.head.log_prob(read.percepts, hidden.states), 0)
        added = nothing
        if self.training:
            for states in hidden.lessons:
                added = added + torch.where(read.seen, self.head.log_prob(read.percepts, states), 0)
            added = added if hidden.penalty is None else added - hidden.penalty
        return ElboTerms(reconstruction=log_prob, log_prior=added, log_posterior=nothing)

    def elbo(self, percepts: Tensor, actions: Tensor) -> ElboTerms:
        """`bound` of walks given as `infer` takes them."""
        return self.bound(percepts, self.infer(percepts, actions))

    @torch.no_grad()
    def forecast(self, walks: Walks) -> Forecast:
        """What is expected of every step before its percept is seen."""
        read = self.infer(walks.percepts, walks.actions)
        states = read.hidden.states
        expected = self.head.expected(states)
        return Forecast(
            class_probabilities=self.head.class_probabilities(states),
            percepts=expected if self.standardizer is None else self.standardizer.undo(expected),
            log_density=torch.where(read.seen, self.head.log_prob(read.percepts, states), 0),
        )


class _Moves(nn.Module):
    """Actions as vectors: a row for each number, or a linear map of real-valued ones."""

    def __init__(self, n_actions: int | None, action_dim: int | None, width: int) -> None:
        super().__init__()
        self.embed: nn.Module
        if n_actions is not None:
            self.embed = nn.Embedding(n_actions, width)
        elif action_dim is not None:
            self.embed = nn.Linear(action_dim, width)

    def forward(self, actions: Tensor) -> Tensor:
        moves: Tensor = self.embed(actions)
        return moves


class PastTokens(nn.Module):
    """For every step one token of what is newest: the percept before it and the action that leads to it.

    Args:
        width: Of codes and moves.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(width))

    def forward(self, codes: Tensor, moves: Tensor) -> Tensor:
        """(batch, time, width), (batch, time - 1, width) -> (batch, time, width); the first knows nothing."""
        start = self.start.expand(len(codes), 1, -1)
        return torch.cat([start, codes[:, :-1] + moves], dim=1)
