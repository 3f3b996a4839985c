import math

import pytest

from tem_vae.config.training import OptimizerConfig
from tem_vae.training.optimizer import forgetting, learning_rate_factor

CONFIG = OptimizerConfig(
    learning_rate=1e-3,
    path_integration_factor=10,
    weight_decay=0,
    warmup_updates=10,
    initial_forgetting=0.4,
    forgetting_until=0.5,
)


@pytest.mark.parametrize(
    ("update", "factor"),
    [(0, 1 / 11), (4, 5 / 11 * 0.5 * (1 + math.cos(math.pi * 0.04))), (50, 0.5), (100, 0.0)],
)
def test_the_rate_rises_then_falls_as_a_cosine(update: int, factor: float) -> None:
    assert learning_rate_factor(update, updates=100, warmup=10) == pytest.approx(factor)


@pytest.mark.parametrize(("update", "nats"), [(0, 0.4), (25, 0.1), (50, 0.0), (99, 0.0)])
def test_forgetting_fades_with_the_square_of_the_time_left(update: int, nats: float) -> None:
    assert forgetting(update, 100, CONFIG) == pytest.approx(nats)


def test_forgetting_that_does_not_fade_stays() -> None:
    stays = CONFIG.model_copy(update={"forgetting_until": None})
    assert {forgetting(update, 100, stays) for update in (0, 50, 99)} == {0.4}


def test_a_run_of_no_update_has_schedules_too() -> None:
    assert learning_rate_factor(0, updates=0, warmup=0) == 1
    assert forgetting(0, 0, CONFIG) == 0
