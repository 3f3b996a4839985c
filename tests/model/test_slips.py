import pytest
import torch

from tem_vae.model import ActionSlips, PathIntegrator
from tem_vae.model.path_integration import locate
from tem_vae.model.places import Places


@pytest.mark.parametrize("rate", [1e-3, 0.1, 0.9])
def test_it_starts_as_if_actions_were_replaced_by_any(rate: float) -> None:
    slips = ActionSlips(4, rate)
    expected = (1 - rate) * torch.eye(4) + rate / 4
    torch.testing.assert_close(slips.log_table.exp(), expected)
    assert slips.rate.item() == pytest.approx(rate, rel=1e-4)


def test_every_action_may_have_happened() -> None:
    slips = ActionSlips(4, 0.2)
    recorded = torch.tensor([1, 3])
    integrator = PathIntegrator(4, 3, 1.0)
    phases = torch.randn(2, 3, 3, dtype=torch.float64)
    here = Places(locate(phases, torch.float32), torch.randint(3, (2, 5)))
    there, actions, log_probs, wrong, _ = slips.branch(integrator, here, recorded, torch.Generator(), None)
    assert actions.shape == log_probs.shape == (2, 5, 4)
    torch.testing.assert_close(there.each.phases, here.each.phases[:, :, None] + integrator.rotations)
    assert torch.equal(wrong, actions != recorded[:, None, None])
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(2, 5))
    again = slips.log_prob(actions, recorded[:, None, None].expand(2, 5, 4))
    torch.testing.assert_close(log_probs, again)
    assert log_probs[0, 0].argmax() == 1
