"""An agent that was told the map and is only told wrong where it goes: what doubts can reach."""

import torch
from torch import Tensor

from tem_vae.data import Walks


def filter_map(walks: Walks, n_classes: int, persistence: float) -> Tensor | None:
    """Class probabilities of every step before it is perceived, by an exact filter over places.

    The agent was told which places the walk will visit, what class each holds, where every action taken there
    leads, how many of the recorded actions are replaced by any, and how probably an action goes on. It knows
    nothing of links that are never walked, and sees the class of every percept, not its drawing. What it does
    not know is where it is: a forward filter, p(place_t, a_t | recorded actions up to t, classes before t).

    Args:
        walks: Numbered actions, of which some are not what happened.
        n_classes: Of percepts.
        persistence: π of `PersistentSlips`; 0 if steps are independent.

    Returns:
        (batch, time, classes), float64; None where places, classes or what happened is not known.
    """
    truth = walks.truth
    if truth is None or truth.actions is None or walks.places is None or walks.classes is None:
        return None
    if walks.actions.is_floating_point():
        return None
    counted = walks.mask[:, 1:]
    n_actions = 1 + int(torch.maximum(walks.actions, truth.actions)[counted].max())
    wrong = (walks.actions != truth.actions)[counted].double().mean() * n_actions / max(n_actions - 1, 1)
    table = (1 - wrong) * torch.eye(n_actions, dtype=torch.float64, device=wrong.device) + wrong / n_actions
    places = torch.unique(walks.places, return_inverse=True)[1]
    rows = torch.arange(len(places), device=places.device)
    # The last place is nowhere: of it nothing is foreseen.
    nowhere = int(places.max()) + 1
    leads_to = torch.full((len(places), nowhere + 1, n_actions), nowhere, device=places.device)
    walked = counted.nonzero(as_tuple=True)
    actions = truth.actions[walked]
    leads_to[walked[0], places[:, :-1][walked], actions] = places[:, 1:][walked]
    holds = table.new_zeros(len(places), nowhere + 1, n_classes)
    holds.scatter_(1, places.unsqueeze(-1).expand(-1, -1, n_classes), _one_hot(walks.classes, n_classes))
    holds[:, nowhere] = 0
    goes_on = persistence * torch.eye(n_actions).to(table) + (1 - persistence) / n_actions
    belief = table.new_zeros(len(places), nowhere + 1, n_actions)
    belief[rows, places[:, 0]] = 1 / n_actions
    into = n_actions * leads_to + torch.arange(n_actions, device=places.device)
    expected = [table.new_full((len(places), n_classes), 1 / n_classes)]
    for step in range(1, places.shape[1]):
        recorded = walks.actions[:, step - 1].clamp(0, n_actions - 1)
        moved = (belief @ goes_on) * table[recorded].unsqueeze(1)
        belief = torch.zeros_like(moved).flatten(1).scatter_add_(1, into.flatten(1), moved.flatten(1))
        belief = _normalise(belief).view_as(moved)
        somewhere = belief.sum(dim=-1)
        foreseen = (somewhere.unsqueeze(1) @ holds).squeeze(1)
        expected.append(foreseen + somewhere[:, nowhere:] / n_classes)
        likelihood = holds[rows, :, walks.classes[:, step]].where(walks.seen[:, step, None], 1)
        belief = _normalise((belief * likelihood.unsqueeze(-1)).flatten(1)).view_as(belief)
    return torch.stack(expected, dim=1)


def _normalise(belief: Tensor) -> Tensor:
    """(batch, states), with the sum 1. A walk that is over goes nowhere, and need not be filtered."""
    belief = belief.where(belief.sum(dim=-1, keepdim=True) > 0, 1)
    return belief / belief.sum(dim=-1, keepdim=True)


def _one_hot(classes: Tensor, n_classes: int) -> Tensor:
    return torch.nn.functional.one_hot(classes, n_classes).double()
