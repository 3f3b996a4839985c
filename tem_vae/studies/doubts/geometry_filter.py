"""An agent that knows the geometry and sees classes, and is in doubt only about what happened."""

import math

import torch
from torch import Tensor

from tem_vae.data import Walks
from tem_vae.model import Belief, Location, PathIntegrator
from tem_vae.model.densities import Density
from tem_vae.model.hypotheses import Draws, Hypotheses, Weights
from tem_vae.model.parts import Integrator
from tem_vae.model.places import Places
from tem_vae.model.slips import Candidates, Slips, SlipState

_CODE_SIZE = 128
# What a new place weighs beside a visit: next to nothing, since a place holds one class.
_NEW = 1e-3


class KnownWorld(PathIntegrator):
    """Where actions lead, as a part that hypotheses can be followed with; nothing of it is learned.

    The "phase" of a location is the number of its place, and its code is a random one of norm 1.

    Args:
        destinations: Where each action leads from each place, (places, actions); below 0 where it is
            impossible, which here leads to one place more, that is never left.
        first: Where walks begin, (batch).
    """

    def __init__(self, destinations: Tensor, first: Tensor) -> None:
        super().__init__(destinations.shape[1], 1, 0.0)
        self.nowhere = len(destinations)
        table = destinations.where(destinations >= 0, self.nowhere)
        self.destinations = torch.cat([table, torch.full_like(table[:1], self.nowhere)])
        generator = torch.Generator().manual_seed(0)
        codes = torch.randn(self.nowhere + 1, _CODE_SIZE, generator=generator)
        self.codes = codes / codes.norm(dim=-1, keepdim=True)
        self.first = first

    def start(self, *batch: int) -> Location:
        """Where every walk begins, (*batch)."""
        return self._at(self.first.expand(batch))

    def step(self, location: Location, actions: Tensor) -> Location:
        """The place after one more action of each walk, actions of shape (*batch)."""
        return self._at(self.destinations[location.phases.squeeze(-1).long(), actions])

    def _at(self, places: Tensor) -> Location:
        return Location(places.unsqueeze(-1).double(), self.codes[places])


class PossibleSlips:
    """What may have happened, without what is impossible where a hypothesis is.

    Args:
        slips: Of anything.
        nowhere: The place to which impossible actions lead.
    """

    returns = True

    def __init__(self, slips: Slips, nowhere: int) -> None:
        self.slips, self.nowhere = slips, nowhere

    def branch(
        self,
        integrator: Integrator,
        here: Places,
        recorded: Tensor,
        generator: torch.Generator,
        state: SlipState | None,
    ) -> Candidates:
        """Candidates of which the impossible ones have no probability, as `Slips` has it."""
        found = self.slips.branch(integrator, here, recorded, generator, state)
        lost = found.there.each.phases.squeeze(-1) == self.nowhere
        return found._replace(log_prob=found.log_prob.masked_fill(lost, -torch.inf))


@torch.no_grad()
def filter_geometry(walks: Walks, destinations: Tensor, belief: Belief, n_classes: int) -> Tensor | None:
    """Class probabilities of every step before it is perceived, by as many hypotheses as a model follows.

    The agent knows where a walk begins, where every action leads from every place and which are possible
    there, what the model believes of slips, and how common classes are; and it sees the class of every
    percept, not its drawing. What it must find out is where it is, and what places hold.

    Args:
        walks: Numbered actions.
        destinations: Where each action leads from each place, (places, actions); below 0 where it is
            impossible.
        belief: The model's: how often actions are wrong, and how many hypotheses to follow.
        n_classes: Of percepts.

    Returns:
        (batch, time, classes); None where places or classes are not known.
    """
    if walks.places is None or walks.classes is None:
        return None
    classes, seen = walks.classes, walks.seen
    known = torch.nn.functional.one_hot(classes, n_classes).float() * seen.unsqueeze(-1)
    shares = known.sum(dim=(0, 1)) / known.sum()
    world = KnownWorld(destinations, walks.places[:, 0])
    hypotheses = Hypotheses(
        PossibleSlips(belief.slips, world.nowhere),
        world,
        lambda products: (products > 0.999).to(products.dtype),
        Weights(torch.tensor(-torch.inf), torch.tensor(math.log(_NEW))),
        belief.hypotheses,
        len(classes),
        Draws(classes.device),
        evenly=True,
    )
    novel = _NEW * shares[classes]
    expected = [shares.expand(len(classes), -1)]
    hypotheses.begin(_density(novel[:, :1], known[:, :0], classes[:, 0]), seen[:, 0])
    for step in range(1, classes.shape[1]):
        found = hypotheses.expect(walks.actions[:, step - 1], seen[:, :step])
        remembered = (found.near.unsqueeze(1) @ known[:, :step]).squeeze(1)
        probabilities = remembered + found.null_weight.unsqueeze(-1) * shares
        expected.append(probabilities / probabilities.sum(dim=-1, keepdim=True))
        density = _density(novel[:, step, None], known[:, :step], classes[:, step])
        hypotheses.perceive(found.branches, density, seen[:, step])
    return torch.stack(expected, dim=1)


def _density(novel: Tensor, known: Tensor, classes: Tensor) -> Density:
    """Of a class, (batch): that of a new place, (batch, 1), and of memories, (batch, n, classes)."""
    there = known.gather(2, classes[:, None, None].expand(-1, known.shape[1], 1))
    return Density(novel.double(), there, torch.zeros_like(novel, dtype=torch.float64))
