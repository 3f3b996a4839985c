"""Who knows the geometry and sees classes finds out where it is, better the more hypotheses it follows."""

import numpy as np
import pytest
import torch

from tem_vae.data import SimulatedWalks, Walks, classify_steps
from tem_vae.data.percepts import Symbols
from tem_vae.data.policy import MomentumPolicy
from tem_vae.model import ActionSlips, Belief
from tem_vae.studies.doubts.geometry_filter import filter_geometry
from tem_vae.studies.doubts.map_filter import filter_map
from tem_vae.worlds import RectangularWorlds

WORLDS = RectangularWorlds((4, 4), (4, 4))
CLASSES = 6


def _walks(slips: float) -> Walks:
    percepts = Symbols(CLASSES, 8, 8, 0)
    source = SimulatedWalks(WORLDS, percepts, MomentumPolicy(0.5), "test", 6, 120, slips=slips)
    return source.sample(np.random.default_rng(1))


def _accuracy(walks: Walks, hypotheses: int, rate: float) -> float:
    destinations = torch.from_numpy(WORLDS.sample(1, np.random.default_rng(0)).destinations[0])
    torch.manual_seed(0)
    named = filter_geometry(walks, destinations, Belief(ActionSlips(5, rate), hypotheses, 1), CLASSES)
    assert named is not None
    torch.testing.assert_close(named.sum(-1), torch.ones_like(named[..., 0]))
    return _at_revisits(walks, named.argmax(-1))


def _at_revisits(walks: Walks, named: torch.Tensor) -> float:
    assert walks.places is not None
    right = named == walks.classes
    return right[classify_steps(walks.places, walks.seen).revisit].float().mean().item()


def test_without_slips_it_is_always_right() -> None:
    assert _accuracy(_walks(0.0), 4, 1e-6) == 1


def test_with_slips_it_comes_near_to_one_who_knows_the_map() -> None:
    walks = _walks(0.1)
    told_map = filter_map(walks, CLASSES, 0)
    assert told_map is not None
    ceiling = _at_revisits(walks, told_map.argmax(-1))
    many, few = _accuracy(walks, 64, 0.1), _accuracy(walks, 1, 1e-9)
    assert few < many - 0.1
    # Some 500 revisits: their share deviates by .015.
    assert ceiling - 0.1 < many < ceiling + 0.02


def test_what_is_impossible_did_not_happen() -> None:
    """A recorded step through a wall was another step: in a world of one place the walk stayed."""
    destinations = torch.tensor([[0, -1]])
    walks = _walks(0.0)
    recorded = torch.ones(1, 5, dtype=torch.long)
    assert walks.truth is not None
    nowhere_to_go = walks._replace(
        percepts=walks.percepts[:1, :6],
        actions=recorded,
        mask=walks.mask[:1, :6],
        truth=walks.truth._replace(
            places=torch.zeros(1, 6, dtype=torch.long), classes=torch.full((1, 6), 2), actions=None
        ),
    )
    named = filter_geometry(nowhere_to_go, destinations, Belief(ActionSlips(2, 0.1), 4, 1), CLASSES)
    assert named is not None
    assert named[0, 1:, 2].min().item() == pytest.approx(1, abs=1e-2)
