"""What may have happened where a real-valued action was recorded."""

import math

import torch
from torch import Tensor, nn

from tem_vae.geometry import Neighborhood
from tem_vae.model.linear_integration import LinearIntegrator
from tem_vae.model.parts import Integrator, Location
from tem_vae.model.path_integration import locate
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
        phases: Tensor,
        recorded: Tensor,
        generator: torch.Generator,
        state: SlipState | None,
    ) -> Candidates:
        """A few draws for every hypothesis of every walk.

        Args:
            integrator: From actions to location codes.
            phases: Where hypotheses are, (batch, K, channels).
            recorded: One action of each walk, (batch, A).
            generator: Decides the draws.
            state: Not used: steps are independent.
        """
        assert isinstance(integrator, LinearIntegrator)
        shape = (*phases.shape[:2], _DRAWS)
        actions = recorded[:, None, None].expand(*shape, -1)
        start = phases.unsqueeze(2).expand(*shape, -1)
        near = self.neighborhood(integrator, integrator.step(Location(start, start), actions).phases)
        rank = near.factorization.rank
        u = torch.randn(*shape, rank, generator=generator, dtype=phases.dtype, device=phases.device)
        moved = near.scale.unsqueeze(-1) * near.factorization.spread(u)
        there = locate(near.center + moved, recorded.dtype)
        happened = actions + (moved @ near.factorization.embedding.mT).to(actions.dtype)
        log_prob = phases.new_full(shape, -math.log(_DRAWS))
        return Candidates(there, happened, log_prob, torch.zeros_like(log_prob, dtype=torch.bool))

    def log_prob(self, happened: Tensor, recorded: Tensor) -> Tensor:
        """Log density of what happened, nats, (*, A), (*, A) -> (*)."""
        squared = ((happened - recorded) / self.noise).square()
        return -(0.5 * squared + 0.5 * math.log(2 * math.pi) + self.log_noise).sum(dim=-1)
