"""Products with all steps of all hypotheses are those of the plain formula, however they branched."""

import pytest
import torch

from tem_vae.model import PathIntegrator
from tem_vae.model.parts import Location
from tem_vae.model.path_integration import locate
from tem_vae.model.paths import Paths
from tem_vae.model.places import Places


def _branch(integrator: PathIntegrator, here: Places, actions: int) -> Places:
    """All actions from all places."""
    start = Location(*(part.unsqueeze(2).expand(-1, -1, actions, -1) for part in here.location))
    with torch.no_grad():
        there = integrator.step(start, torch.arange(actions).expand(start.code.shape[:-1]))
    numbers = here.numbers.unsqueeze(-1) * actions + torch.arange(actions)
    return Places(Location(*(part.flatten(1, 2) for part in there)), numbers)


@pytest.mark.parametrize("returns", [False, True])
@pytest.mark.parametrize("spread", [1, 3, 8])
def test_products_are_those_with_the_codes_of_ones_own_past(spread: int, returns: bool) -> None:
    torch.manual_seed(0)
    batch, hypotheses, candidates, channels, steps = 2, 8, 3, 6, 100
    integrator = PathIntegrator(candidates, channels, 1.0)
    start = integrator.start(batch)
    paths = Paths(start, returns)
    plain = start.code[:, None, None]
    for step in range(1, steps):
        there = _branch(integrator, paths.here, candidates)
        expected = (there.each.code @ plain.mT).exp()
        torch.testing.assert_close(paths.compare(there, torch.exp), expected, atol=1e-5, rtol=1e-4)
        # Few ancestors make the past one soon, many keep it apart.
        ancestors = torch.randint(min(spread, plain.shape[1]), (batch, hypotheses))
        ancestors = ancestors if step % 7 else torch.zeros_like(ancestors)
        chosen = candidates * ancestors + torch.randint(candidates, (batch, hypotheses))
        chosen_places = Places(there.location, there.numbers.flatten(1).gather(1, chosen))
        paths.extend(ancestors, chosen_places)
        past = plain.gather(1, ancestors[..., None, None].expand(-1, -1, step, 2 * channels))
        plain = torch.cat([past, chosen_places.each.code.unsqueeze(2)], dim=2)
        torch.testing.assert_close(paths.here.each.code, plain[:, :, -1], atol=1e-6, rtol=0)


def test_a_place_that_is_met_again_is_kept_once() -> None:
    """To the right and back, by rotations that close but for a ten-thousandth of a radian."""
    integrator = PathIntegrator(2, 8, 1.0)
    with torch.no_grad():
        integrator.rotations[1] = 1e-4 - integrator.rotations[0]
    paths = Paths(integrator.start(1), returns=True)
    for step in range(60):
        there = _branch(integrator, paths.here, 2)
        paths.extend(torch.zeros(1, 1, dtype=torch.long), Places(there.location, torch.tensor([[step % 2]])))
    torch.testing.assert_close(paths.here.each.phases, integrator.start(1).phases.unsqueeze(1))
    expected = torch.tensor(
        [1.0, float(locate(integrator.rotations.detach()[:1], torch.float32).code[0, :8].mean())]
    )
    found = paths.compare(Places(integrator.start(1, 1), torch.zeros(1, 1, 1, dtype=torch.long)), lambda x: x)
    assert found[0, 0, 0, ::2].allclose(expected[:1], atol=1e-6)
    assert found[0, 0, 0, 1::2].allclose(expected[1:] * 8**0.5, atol=1e-5)
