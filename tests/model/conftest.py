import pytest
import torch

from tem_vae.geometry import Pseudometric
from tem_vae.model import GaussianLikelihood, MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae

PERCEPT_DIM, CODE_DIM, RANK, ACTIONS = 6, 10, 3, 5


@pytest.fixture
def model() -> TemVae:
    torch.manual_seed(0)
    return TemVae(
        encoder=MlpEncoder((PERCEPT_DIM,), 16, CODE_DIM),
        metric=Pseudometric(CODE_DIM, RANK, tau=1e-2, normalize=True),
        integrator=PathIntegrator(ACTIONS, channels=8, initial_rotation=0.7),
        memory=MemoryPrior(CODE_DIM, scale=0.5, initial_precision=10.0, prototypes=3),
        decoder=MlpDecoder(RANK, 16, (PERCEPT_DIM,), GaussianLikelihood(1.0)),
        scale=0.5,
    )


@pytest.fixture
def walk() -> tuple[torch.Tensor, torch.Tensor]:
    """Percepts (2, 12, 6) and actions (2, 11)."""
    generator = torch.Generator().manual_seed(1)
    percepts = torch.randn(2, 12, PERCEPT_DIM, generator=generator)
    return percepts, torch.randint(ACTIONS, (2, 11), generator=generator)
