"""An agent that was told the map and is only told wrong where it goes: what doubts can reach."""

import torch
from torch import Tensor

from tem_vae.data import Walks


def filter_map(walks: Walks, n_classes: int) -> Tensor | None:
    """Class probabilities of every step before it is perceived, by an exact filter over places.

    The agent was told which places the walk will visit, what class each holds, where every action taken there
    leads, and how many of the recorded actions are replaced by any. It knows nothing of links that are never
    walked, and sees the class of every percept, not its drawing. What it does not know is where it is: a
    forward filter over places, p(place_t | recorded actions up to t, classes before t).

    Args:
        walks: Numbered actions, of which some are not what happened.
        n_classes: Of percepts.

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
    belief = table.new_zeros(len(places), nowhere + 1)
    belief[rows, places[:, 0]] = 1
    expected = [table.new_full((len(places), n_classes), 1 / n_classes)]
    for step in range(1, places.shape[1]):
        moved = belief.unsqueeze(-1) * table[walks.actions[:, step - 1].clamp(0, n_actions - 1)].unsqueeze(1)
        belief = torch.zeros_like(belief).scatter_add_(1, leads_to.flatten(1), moved.flatten(1))
        belief = belief / belief.sum(dim=-1, keepdim=True)
        foreseen = (belief.unsqueeze(1) @ holds).squeeze(1)
        expected.append(foreseen + belief[:, nowhere:] / n_classes)
        likelihood = holds[rows, :, walks.classes[:, step]]
        seen = walks.seen[:, step, None]
        belief = torch.where(seen, belief * likelihood, belief)
        # A walk that is over goes nowhere, and need not be filtered.
        belief = torch.where(belief.sum(dim=-1, keepdim=True) > 0, belief, torch.ones_like(belief))
        belief = belief / belief.sum(dim=-1, keepdim=True)
    return torch.stack(expected, dim=1)


def _one_hot(classes: Tensor, n_classes: int) -> Tensor:
    return torch.nn.functional.one_hot(classes, n_classes).double()
