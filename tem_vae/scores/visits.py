"""Accuracy by visit number: one visit should be enough to remember a place."""

import torch
from torch import Tensor

from tem_vae.data import Walks, classify_steps
from tem_vae.model import Prediction
from tem_vae.scores.masked_means import MaskedMeans
from tem_vae.scores.prediction import remembered_class

# First and last visit number of each score; at visit 1 there is nothing to remember.
_RANGES = {"2": (2, 2), "3": (3, 3), "4": (4, 4), "5_to_8": (5, 8), "9_on": (9, None)}


def visit_numbers(places: Tensor) -> Tensor:
    """How often a walk arrived at the place of each step, this arrival included; staying put is no arrival.

    Args:
        places: The place occupied at each step, (batch, time).

    Example:
        >>> visit_numbers(torch.tensor([[5, 5, 2, 5, 2]]))
        tensor([[1, 1, 1, 2, 2]])
    """
    arrived = torch.ones_like(places, dtype=torch.bool)
    arrived[:, 1:] = places[:, 1:] != places[:, :-1]
    same = places.unsqueeze(-1) == places.unsqueeze(-2)
    return (same & arrived.unsqueeze(-2)).tril().sum(dim=-1)


class VisitScores(MaskedMeans):
    """The share of moves whose class memory names, by the number of the visit."""

    def __init__(self, n_classes: int | None) -> None:
        super().__init__([f"accuracy_at_visit_{name}" for name in _RANGES])
        self.n_classes = n_classes

    def update_walks(self, walks: Walks, prediction: Prediction) -> None:
        """Score one batch; nothing is scored where places or classes are not known."""
        if walks.places is None or walks.classes is None or self.n_classes is None:
            return
        predicted = remembered_class(prediction.prior, walks.classes, self.n_classes)
        number, moved = visit_numbers(walks.places), classify_steps(walks.places, walks.seen).move
        for name, (first, last) in _RANGES.items():
            counted = moved & (number >= first) & (number <= (last or number.shape[1]))
            self.update(f"accuracy_at_visit_{name}", predicted == walks.classes, counted)
