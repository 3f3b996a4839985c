"""Products with all steps of all hypotheses are those of the plain formula, however they branched."""

import pytest
import torch

from tem_vae.model import PathIntegrator
from tem_vae.model.parts import Location
from tem_vae.model.paths import Paths, distinct_places


@pytest.mark.parametrize("spread", [1, 3, 8])
def test_products_are_those_with_the_codes_of_ones_own_past(spread: int) -> None:
    torch.manual_seed(0)
    batch, hypotheses, candidates, channels, steps = 2, 8, 3, 6, 100
    integrator = PathIntegrator(candidates, channels, 1.0)
    actions = torch.arange(candidates).expand(batch, hypotheses, -1)
    here = integrator.start(batch)
    paths = Paths(here.code, hypotheses)
    plain = here.code[:, None, None].expand(batch, hypotheses, 1, -1)
    phases = here.phases.unsqueeze(1).expand(-1, hypotheses, -1)
    for step in range(1, steps):
        parents = phases.unsqueeze(2).expand(-1, -1, candidates, -1)
        with torch.no_grad():
            there = integrator.step(Location(parents, parents), actions)
        places = distinct_places(there)
        expected = (there.code @ plain.mT).exp()
        torch.testing.assert_close(paths.compare(places, torch.exp), expected, atol=1e-5, rtol=1e-4)
        # Few ancestors make the past one soon, many keep it apart.
        ancestors = torch.randint(spread, (batch, hypotheses)) if step % 7 else torch.zeros(2, 8).long()
        chosen = candidates * ancestors + torch.randint(candidates, (batch, hypotheses))
        paths.extend(ancestors, places.chosen(chosen))
        rows = chosen.unsqueeze(-1)
        phases = there.phases.flatten(1, 2).gather(1, rows.expand(-1, -1, channels))
        codes = there.code.flatten(1, 2).gather(1, rows.expand(-1, -1, 2 * channels))
        past = plain.gather(1, ancestors[..., None, None].expand(-1, -1, step, 2 * channels))
        plain = torch.cat([past, codes.unsqueeze(2)], dim=2)


def test_the_same_steps_in_another_order_lead_to_the_same_place() -> None:
    integrator = PathIntegrator(4, 8, 1.0)
    here = integrator.start(2)
    for actions in ([0, 1, 2], [0, 1, 3], [1, 0, 2]):
        phases = here.phases.unsqueeze(1).expand(-1, 3, -1) if here.phases.ndim == 2 else here.phases
        with torch.no_grad():
            here = integrator.step(Location(phases, phases), torch.tensor([actions, [0, 1, 2]]))
    places = distinct_places(here)
    # 0 0 1 and 0 1 1; 1 1 0; 2 3 2; and three times the same in the other walk.
    assert len(places.numbers[0].unique()) == 3
    assert len(places.numbers[1].unique()) == 3
    codes = places.codes.gather(1, places.numbers.unsqueeze(-1).expand(-1, -1, 16))
    torch.testing.assert_close(codes, here.code)
