"""The figure of a belief shows what was believed, and says how often that was right."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tem_vae.data import Digits, MomentumPolicy, RectangularWorlds, SimulatedWalks, UnknownTruthError
from tem_vae.geometry import Pseudometric
from tem_vae.model import GaussianLikelihood, MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae
from tem_vae.report.figures.belief import illustrate_belief, measure_belief
from tem_vae.report.gallery import BELIEF, GALLERY, gallery_of
from tem_vae.report.subject import Subject


@pytest.fixture
def subject() -> Subject:
    torch.manual_seed(0)
    source, worlds = Digits(0), RectangularWorlds((4, 4), (4, 4))
    walks = SimulatedWalks(worlds, source, MomentumPolicy(0.5), "test", 1, 40, slips=0.3)
    model = TemVae(
        MlpEncoder(source.percept_shape, 8, 12),
        Pseudometric(12, 4, tau=1e-3, normalize=True),
        PathIntegrator(len(worlds.actions), channels=6, initial_rotation=0.4),
        MemoryPrior(12, scale=0.7, initial_precision=10.0, prototypes=3),
        MlpDecoder(4, 8, source.percept_shape, GaussianLikelihood(1.0)),
        scale=0.7,
    ).eval()
    model.belief = model.doubt(4, 0.3)
    return Subject(model, walks, [walks.sample(np.random.default_rng(0))], seed=0)


def test_it_shows_what_was_believed(subject: Subject) -> None:
    illustration, data = illustrate_belief(subject), measure_belief(subject)
    illustration.figure.draw_without_rendering()
    assert data.slipped is not None
    assert data.slipped.sum() > 3
    columns = illustration.tables[0].columns
    assert columns["it was"].tolist() == data.slipped.tolist()
    assert columns["probability that the last action was wrong"].tolist() == data.wrong.tolist()
    believed = int((data.wrong[data.slipped] > 0.5).sum())
    assert f"{believed} were believed to be wrong" in illustration.caption


def test_the_global_generator_does_not_move(subject: Subject) -> None:
    before = torch.random.get_rng_state()
    measure_belief(subject)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_model_without_doubts_has_no_such_figure(subject: Subject) -> None:
    assert gallery_of(subject.model)[-1] is BELIEF
    subject.model.belief = None
    assert gallery_of(subject.model) is GALLERY
    with pytest.raises(UnknownTruthError, match="doubts recorded actions"):
        illustrate_belief(replace(subject))
