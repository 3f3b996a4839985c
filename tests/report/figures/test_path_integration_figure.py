"""Rotations, what they leave and how they drift, against hand-computed cases."""

import math

import numpy as np
import pytest
import torch
from matplotlib.text import Text

from tem_vae.geometry import Pseudometric
from tem_vae.model import GaussianLikelihood, MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae
from tem_vae.report.action_phases import find_loops, measure_action_phases
from tem_vae.report.figures.path_integration import (
    describe_path_integration,
    draw_path_integration,
    measure_drift,
)
from tem_vae.report.illustration import rasterise
from tem_vae.scores.drift import wrap_phases

ACTIONS = ("stay", "up", "down", "left", "right")
RNG = np.random.default_rng(0)
OPPOSITES = {0: 0, 1: 2, 2: 1, 3: 4, 4: 3}


def model_with(rotations: torch.Tensor) -> TemVae:
    integrator = PathIntegrator(len(rotations), rotations.shape[1], initial_rotation=1.0)
    with torch.no_grad():
        integrator.rotations.copy_(rotations)
    return TemVae(
        MlpEncoder((1,), 4, 4),
        Pseudometric(4, 2, tau=1e-3, normalize=True),
        integrator,
        MemoryPrior(4, scale=0.5, initial_precision=4.0, prototypes=3),
        MlpDecoder(2, 4, (1,), GaussianLikelihood(1.0)),
        scale=0.5,
    )


@pytest.mark.parametrize(
    ("angle", "wrapped"), [(math.pi, -math.pi), (-math.pi, -math.pi), (7.0, 7.0 - 2 * math.pi)]
)
def test_wrap(angle: float, wrapped: float) -> None:
    assert float(wrap_phases(torch.tensor(angle, dtype=torch.float64))) == pytest.approx(wrapped)


def test_exact_inverses_leave_nothing_and_do_not_drift() -> None:
    generator = torch.Generator().manual_seed(0)
    up, right = torch.randn(2, 6, generator=generator)
    model = model_with(torch.stack([torch.zeros(6), up, -up, -right, right]))
    phases = measure_action_phases(model, ACTIONS, OPPOSITES)
    assert phases.worst_residual == pytest.approx(np.zeros(6), abs=1e-6)
    drift = measure_drift(model, phases, np.random.default_rng(0))
    assert drift is not None
    assert drift.distances.max() < 1e-4
    assert drift.bandwidth == pytest.approx(0.5)
    one_step = np.sqrt((2 - 2 * torch.cos(torch.stack([up, right]))).mean(dim=1).numpy()).mean()
    assert drift.one_step == pytest.approx(one_step, abs=1e-5)


def test_a_channel_that_does_not_cancel_is_found_and_drifts_as_its_residual_says() -> None:
    up = torch.tensor([0.3, 0.3])
    down = torch.tensor([-0.3, 0.7])
    model = model_with(torch.stack([torch.zeros(2), up, down, up, down]))
    phases = measure_action_phases(model, ACTIONS, OPPOSITES)
    assert phases.cancels.tolist() == [True, False]
    assert phases.worst_residual == pytest.approx(np.array([0.0, 1.0]), abs=1e-6)
    drift = measure_drift(model, phases, np.random.default_rng(0))
    assert drift is not None
    assert drift.distances[0] == pytest.approx(math.sqrt((2 - 2 * math.cos(1.0)) / 2), abs=1e-5)
    assert drift.closing.max() < 1e-4
    assert drift.open[0] == pytest.approx(math.sqrt(2 - 2 * math.cos(1.0)), abs=1e-5)
    caption = describe_path_integration(phases, drift)
    assert "Of 2 channels 1 (50.0 %) close" in caption
    assert "0.00 of those that close" in caption


def test_names_of_actions_are_no_formulas() -> None:
    names = ("stay", r"$\frac$", r"$\x{", "a_b^", "$")
    phases = measure_action_phases(model_with(torch.zeros(5, 4)), names, OPPOSITES)
    figure = draw_path_integration(phases, measure_drift(model_with(torch.ones(5, 4)), phases, RNG))
    rasterise(figure)
    drawn = [text.get_text().replace(r"\$", "$") for text in figure.findobj(Text)]
    assert set(names) <= set(drawn)


def test_without_opposites_there_is_no_drift_to_measure() -> None:
    model = model_with(torch.randn(4, 4, generator=torch.Generator().manual_seed(0)))
    phases = measure_action_phases(model, ACTIONS[1:], {})
    assert phases.worst_residual.tolist() == [0, 0, 0, 0]
    assert measure_drift(model, phases, np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("names", "opposites", "loops"),
    [
        (ACTIONS, OPPOSITES, ((1, 2), (3, 4), (0,))),
        (ACTIONS[1:], {0: 1, 1: 0}, ((0, 1),)),
        (("swap", "on", "back"), {0: 0, 1: 2}, ((0, 0),)),
        (("on",), {}, ()),
    ],
)
def test_loops_are_mutual_opposites_and_staying(
    names: tuple[str, ...], opposites: dict[int, int], loops: tuple[tuple[int, ...], ...]
) -> None:
    assert find_loops(names, opposites) == loops
