"""The filter over places is the sum over all that may have happened, written out."""

from itertools import product

import pytest
import torch
from torch import Tensor

from tem_vae.data import Truth, Walks
from tem_vae.studies.doubts.map_filter import filter_map

# A ring of three places: action 0 stays, 1 goes on, 2 goes back. Places 0 and 2 hold the same class.
CLASSES = torch.tensor([0, 1, 0])
HAPPENED = [1, 1, 1, 2, 0, 2, 2, 1]
RECORDED = [1, 1, 0, 2, 0, 2, 1, 1]
NOWHERE = -1


def _walk(recorded: list[int]) -> Walks:
    steps = torch.tensor([0, 1, -1])[torch.tensor(HAPPENED)]
    places = torch.cat([torch.zeros(1, dtype=torch.long), steps.cumsum(0)])[None] % 3
    truth = Truth(places=places, classes=CLASSES[places], actions=torch.tensor([HAPPENED]))
    mask = torch.ones_like(places, dtype=torch.bool)
    return Walks(torch.zeros(1, 9, 2), torch.tensor([recorded]), mask, truth)


def _written_out(walks: Walks, step: int, rate: float, persistence: float) -> Tensor:
    """p(class_step | actions recorded up to it, classes before it), over all links that the walk takes."""
    assert walks.places is not None
    assert walks.truth is not None
    places, actions = walks.places[0].tolist(), HAPPENED
    links = {(places[t], actions[t]): places[t + 1] for t in range(8)}
    found = torch.zeros(2, dtype=torch.float64)
    for path in product(range(3), repeat=step):
        at, weight = places[0], 1.0
        for t, action in enumerate(path):
            weight *= (1 - rate) * (action == walks.actions[0, t].item()) + rate / 3
            if t > 0:
                weight *= persistence * (action == path[t - 1]) + (1 - persistence) / 3
            at = links.get((at, action), NOWHERE)
            if t + 1 < step and (at == NOWHERE or CLASSES[at] != CLASSES[places[t + 1]]):
                weight = 0.0
        # Nowhere anything may be met.
        found += weight / 2 if at == NOWHERE else weight * torch.eye(2)[CLASSES[at]]
    return found / found.sum()


@pytest.mark.parametrize("persistence", [0, 0.6])
def test_it_is_the_sum_over_all_paths(persistence: float) -> None:
    walks = _walk(RECORDED)
    rate = 2 / 8 * 3 / 2  # two of eight differ, and one replacement in three does not
    foreseen = filter_map(walks, 2, persistence)
    assert foreseen is not None
    for step in (1, 2, 3, 5, 8):
        torch.testing.assert_close(foreseen[0, step], _written_out(walks, step, rate, persistence))


def test_who_is_told_what_happened_is_always_right() -> None:
    walks = _walk(HAPPENED)
    foreseen = filter_map(walks, 2, 0)
    assert foreseen is not None
    torch.testing.assert_close(foreseen.argmax(-1), walks.classes)


def test_what_is_not_known_cannot_be_filtered() -> None:
    walks = _walk(RECORDED)
    assert walks.truth is not None
    assert filter_map(walks._replace(truth=walks.truth._replace(actions=None)), 2, 0) is None
