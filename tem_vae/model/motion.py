"""What may have happened where a real-valued action was recorded."""

import math

import torch
from torch import Tensor, nn

from tem_vae.geometry import Neighborhood
from tem_vae.model.linear_integration import LinearIntegrator
from tem_vae.model.parts import Integrator, Location
from tem_vae.model.path_integration import locate
from tem_vae.model.places import Places
from tem_vae.model.slips import Candidates, SlipState

_DRAWS = 4


class MotionNoise(nn.Module):
    r"""What happened is what was recorded and normal noise, of one deviation in every direction.

    .. math:: v \sim N(r, \sigma^2 I_A)

    A linear integrator turns phases by W v, so the phases lie in a `Neighborhood` of rank A of those to which
    the recorded action leads. There is no list of what may have happened; a few draws stand for it, which
    leaves all expectations what they are.

    Args:
        noise: sigma, in the unit of actions.
    """

    returns = False

    def __init__(self, noise: float) -> None:
        super().__init__()
        self.log_noise = nn.Parameter(torch.tensor(math.log(noise)))

    @property
    def noise(self) -> Tensor:
        """Sigma, ()."""
        return self.log_noise.exp()

    def scalars(self) -> dict[str, Tensor]:
        """Its learned scalars, by the name under which they are logged."""
        return {"belief/motion_noise": self.noise}

    def neighborhood(self, integrator: LinearIntegrator, phases: Tensor) -> Neighborhood:
        """Where phases may be if an action led to these, (*, channels)."""
        factorization = integrator.factorize()
        scale = self.noise.to(phases.dtype) * math.sqrt(factorization.rank)
        return Neighborhood(phases, scale, factorization, validate_args=False)

    def branch(
        self,
        integrator: Integrator,
        here: Places,
        recorded: Tensor,
        generator: torch.Generator,
        state: SlipState | None,
    ) -> Candidates:
        """A few draws for every hypothesis of every walk.

        Args:
            integrator: From actions to location codes.
            here: Where hypotheses are, numbers of shape (batch, K).
            recorded: One action of each walk, (batch, A).
            generator: Decides the draws.
            state: Not used: steps are independent.
        """
        assert isinstance(integrator, LinearIntegrator)
        shape = (*here.numbers.shape, _DRAWS)
        actions = recorded[:, None, None].expand(*shape, -1)
        start = Location(*(part.unsqueeze(2).expand(*shape, -1) for part in here.each))
        near = self.neighborhood(integrator, integrator.step(start, actions).phases)
        rank = near.factorization.rank
        u = torch.randn(*shape, rank, generator=generator, dtype=near.center.dtype, device=actions.device)
        moved = near.scale.unsqueeze(-1) * near.factorization.spread(u)
        there = locate(near.center + moved, recorded.dtype)
        happened = actions + (moved @ near.factorization.embedding.mT).to(actions.dtype)
        log_prob = moved.new_full(shape, -math.log(_DRAWS))
        numbers = torch.arange(shape[1] * _DRAWS, device=actions.device).view(shape[1:]).expand(shape)
        location = Location(*(part.flatten(1, 2) for part in there))
        return Candidates(
            Places(location, numbers), happened, log_prob, torch.zeros_like(log_prob, dtype=torch.bool)
        )

    def log_prob(self, happened: Tensor, recorded: Tensor) -> Tensor:
        """Log density of what happened, nats, (*, A), (*, A) -> (*)."""
        squared = ((happened - recorded) / self.noise).square()
        return -(0.5 * squared + 0.5 * math.log(2 * math.pi) + self.log_noise).sum(dim=-1)
