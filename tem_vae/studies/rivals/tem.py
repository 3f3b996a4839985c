"""A small Tolman-Eichenbaum Machine, after Whittington et al. 2020 (Cell 183, 1249-1263).

Abstract locations g are moved by actions; p, their outer product with what is perceived, is stored in fast
Hebbian weights. What differs from the paper is in docs/comparison.md.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tem_vae.studies.rivals.hebbian import HebbianMemory, activate
from tem_vae.studies.rivals.predictor import Hidden

_MODULES = 3
_SENSES = 8  # numbers of a compressed percept
_FIRST_FREQUENCIES = (0.99, 0.3, 0.09)
_HIDDEN = 20
_ROLLOUT = 20  # steps that gradients go back
_AGREEMENT = 1.0  # weight of the losses between what is inferred and what is generated


class TemNetwork(nn.Module):
    """Path integration of g, memory of p, and g corrected by what a percept recalls.

    Args:
        width: Of codes, moves and states; an eighth of it are the cells of g in a module.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.places = width // 8
        size = _MODULES * self.places
        self.start = nn.Parameter(0.5 * torch.randn(_MODULES, self.places))
        changes = nn.Linear(_HIDDEN, size * size, bias=False)
        nn.init.normal_(changes.weight, std=0.05)
        self.transition = nn.Sequential(nn.Linear(width, _HIDDEN), nn.Tanh(), changes)
        self.compress = nn.Linear(width, _SENSES)
        first = torch.tensor(_FIRST_FREQUENCIES)
        self.frequency = nn.Parameter((first / (1 - first)).log())
        self.recall = nn.Sequential(
            nn.Linear(self.places, 2 * self.places), nn.ELU(), nn.Linear(2 * self.places, self.places)
        )
        self.trust_moves = nn.Linear(self.places, self.places)
        self.trust_recall = nn.Linear(self.places, self.places)
        self.describe = nn.Linear(_SENSES, width)
        self.register_buffer("_lower", _block_lower(self.places), persistent=False)

    _lower: Tensor

    def forward(self, codes: Tensor, moves: Tensor) -> Hidden:
        """States before every step, (batch, time, width), and what training compares."""
        batch = len(codes)
        senses = self._filter(self.compress(codes).tanh()).unbind(dim=1)
        shifts = self.transition(moves).reshape(*moves.shape[:-1], *self._lower.shape) * self._lower
        shifts = [None, *shifts.unbind(dim=1)]  # to index a tensor at every step would cost a copy of it each
        shape = (batch, _MODULES, self.places * _SENSES)
        generative, inferring = HebbianMemory(*shape, like=codes), HebbianMemory(*shape, like=codes)
        place = activate(self.start).expand(batch, -1, -1)
        foreseen: list[Tensor] = []
        inferred: list[Tensor] = []
        stored: list[Tensor] = []
        penalties: list[Tensor] = []
        for t, (sense, shift) in enumerate(zip(senses, shifts, strict=True)):
            if t and t % _ROLLOUT == 0:
                generative.end_rollout()
                inferring.end_rollout()
                place = place.detach()
            moved = place if shift is None else self._move(place, shift)
            # Before the percept: where, and what memory has there.
            foreseen.append(generative.retrieve(_at(moved)))
            # After it: what memory has of such percepts says where, too.
            recalled = inferring.retrieve(_of(sense, self.places))
            place = self._correct(moved, recalled)
            cells = activate(_at(place) * _of(sense, self.places))
            retrieved = generative.retrieve(_at(place))
            generative.learn(cells, retrieved)
            inferring.learn(cells, recalled)
            inferred.append(retrieved)
            stored.append(cells)
            penalties.append(_differ(place, moved) + _differ(cells, retrieved) + _differ(cells, recalled))
        return Hidden(
            self._describe(foreseen),
            lessons=(self._describe(inferred), self._describe(stored)),
            penalty=_AGREEMENT * torch.stack(penalties, dim=1),
        )

    def _filter(self, senses: Tensor) -> Tensor:
        """Percepts smoothed in time, each module at its frequency, less their mean, rectified, of norm 1.

        (batch, time, _SENSES) -> (batch, time, _MODULES, _SENSES).
        """
        rate = self.frequency.sigmoid()[:, None]
        steps = senses.unbind(dim=1)
        smooth = steps[0].unsqueeze(1).expand(-1, _MODULES, -1)
        filtered = []
        for now in steps:
            smooth = (1 - rate) * smooth + rate * now.unsqueeze(1)
            filtered.append(smooth)
        rectified = torch.stack(filtered, dim=1)
        return F.normalize(F.relu(rectified - rectified.mean(dim=-1, keepdim=True)), dim=-1)

    def _move(self, place: Tensor, shift: Tensor) -> Tensor:
        """Path integration: g + D(a) g, where modules of low frequency act on those of higher."""
        change = (place.flatten(1).unsqueeze(1) @ shift).reshape(place.shape)
        return activate(place + change)

    def _correct(self, moved: Tensor, recalled: Tensor) -> Tensor:
        """The mean of where actions led and where memory has such a percept, weighted by precisions."""
        remembered = _pairs(recalled, self.places).sum(dim=-1)
        by_moves = self.trust_moves(moved).exp()
        by_recall = self.trust_recall(remembered.abs()).exp() * 0.1
        suggested = activate(self.recall(remembered))
        return activate((by_moves * moved + by_recall * suggested) / (by_moves + by_recall))

    def _describe(self, cells: list[Tensor]) -> Tensor:
        """What cells of the highest frequency say of a percept, (batch, time, width)."""
        highest = torch.stack(cells, dim=1)[:, :, 0]
        states: Tensor = self.describe(_pairs(highest, self.places).sum(dim=-2))
        return states


def _block_lower(places: int) -> Tensor:
    """True from cells of a module to those of modules of higher or equal frequency, (cells, cells)."""
    modules = torch.ones(_MODULES, _MODULES).tril()
    return modules.repeat_interleave(places, 0).repeat_interleave(places, 1)


def _at(place: Tensor) -> Tensor:
    """Cells of g for every pair of a cell of g and a sense, (batch, modules, places · senses)."""
    return place.repeat_interleave(_SENSES, dim=-1)


def _pairs(cells: Tensor, places: int) -> Tensor:
    """Such pairs as an array, (*, places, senses)."""
    return cells.reshape(*cells.shape[:-1], places, _SENSES)


def _of(senses: Tensor, places: int) -> Tensor:
    """Senses for every such pair."""
    return senses.repeat(1, 1, places)


def _differ(first: Tensor, second: Tensor) -> Tensor:
    """Half the squared difference, summed over cells, (batch,)."""
    return 0.5 * (first - second).square().sum(dim=(1, 2))
