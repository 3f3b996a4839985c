"""Short walks that all rivals read, and rivals with fresh weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from short_runs import SHORT_RUN
from small_rivals import STEPS, BuildRival

from tem_vae.config.training import TrainConfig
from tem_vae.data import SimulatedWalks, Walks
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.clones import CloneForecaster
from tem_vae.studies.rivals.contract import Forecaster, Trial
from tem_vae.studies.rivals.job import Job
from tem_vae.studies.rivals.networks import NetworkRival
from tem_vae.studies.rivals.predictor import PerceptPredictor


@pytest.fixture(scope="session")
def short() -> TrainConfig:
    """A configuration of small worlds and short walks."""
    overrides = tuple(value for value in SHORT_RUN if not value.startswith("logger"))
    return Job("digits", "lstm", 0, 1.0, overrides).compose()


@pytest.fixture(scope="session")
def source(short: TrainConfig) -> SimulatedWalks:
    walks = short.data.build().train
    assert isinstance(walks, SimulatedWalks)
    return walks


@pytest.fixture(scope="session")
def walks(source: SimulatedWalks) -> Walks:
    """Three of them."""
    longer = replace(source, walk_length=STEPS, batch_size=3)
    return longer.sample(np.random.default_rng(0))


@pytest.fixture(scope="session")
def fresh(short: TrainConfig, source: SimulatedWalks) -> BuildRival:
    """Rivals that were never trained, by name."""

    def build(name: str) -> Forecaster:
        if name == "clones":
            return CloneForecaster(5, 10, Trial(1e-2, 3), seed=0)
        torch.manual_seed(0)
        rival = RIVALS[name]
        assert isinstance(rival, NetworkRival)
        return PerceptPredictor(short, source, rival.network, 64, seed=0).eval()

    return build
