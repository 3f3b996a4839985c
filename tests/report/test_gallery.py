"""Every figure of models and walks that have little to show: something or a sentence in each panel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.data import Digits, MomentumPolicy, PerceptSource, RectangularWorlds, SimulatedWalks, Symbols
from tem_vae.geometry import Pseudometric
from tem_vae.model import MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae
from tem_vae.report.figures.accuracy import illustrate_accuracy
from tem_vae.report.figures.distances import illustrate_distances
from tem_vae.report.figures.neighborhoods import illustrate_neighborhoods
from tem_vae.report.figures.spectra import illustrate_spectra
from tem_vae.report.figures.walk_animation import draw_step
from tem_vae.report.gallery import GALLERY, Entry
from tem_vae.report.illustration import rasterise
from tem_vae.report.subject import Subject


def build(source: PerceptSource, rank: int, size: tuple[int, int], walk_length: int) -> Subject:
    torch.manual_seed(0)
    height, width = size
    worlds = RectangularWorlds((height, height), (width, width))
    walks = SimulatedWalks(worlds, source, MomentumPolicy(0.5), "test", batch_size=3, walk_length=walk_length)
    model = TemVae(
        MlpEncoder(source.percept_shape, 8, 12),
        Pseudometric(12, rank, tau=1e-3, normalize=True),
        PathIntegrator(len(worlds.actions), channels=6, initial_rotation=0.4),
        MemoryPrior(12, scale=0.7, initial_precision=10.0),
        MlpDecoder(rank, 8, source.percept_shape, noise=1.0),
        scale=0.7,
    )
    batch = walks.sample(np.random.default_rng(0))
    return Subject(model.eval(), source, "test", worlds.actions, [batch], seed=0)


CASES: dict[str, Callable[[], Subject]] = {
    "untrained": lambda: build(Digits(0), 4, (5, 5), 60),
    "rank 1": lambda: build(Digits(0), 1, (4, 4), 40),
    "no revisit": lambda: build(Digits(0), 3, (5, 5), 2),
    "corridor": lambda: build(Digits(0), 3, (1, 6), 40),
    "one place": lambda: build(Digits(0), 3, (1, 1), 5),
    "no images": lambda: build(Symbols(7, 13, 3, seed=0), 3, (3, 3), 30),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def subject(request: pytest.FixtureRequest) -> Subject:
    return CASES[request.param]()


def is_filled(axes: Axes) -> bool:
    drawn = [*axes.lines, *axes.images, *axes.collections, *axes.patches, *axes.texts]
    return bool(drawn) or not axes.axison


@pytest.mark.parametrize("entry", GALLERY, ids=lambda entry: entry.name)
def test_every_panel_shows_something(entry: Entry, subject: Subject) -> None:
    illustration = entry.illustrate(subject)
    assert illustration.name == entry.name
    illustration.figure.draw_without_rendering()
    assert all(is_filled(axes) for axes in all_axes(illustration.figure))
    assert "nan" not in illustration.caption
    assert illustration.caption.endswith(".")


def all_axes(figure: Figure) -> list[Axes]:
    assert figure.get_axes()
    return figure.get_axes()


def test_files_hold_the_figure_and_its_numbers(tmp_path: Path) -> None:
    subject = CASES["untrained"]()
    illustration = illustrate_spectra(subject)
    files = illustration.save(tmp_path)
    assert [file.name for file in files] == [
        "spectra.png",
        "spectra.svg",
        "spectra.csv",
        "rows_in_percept_space.csv",
    ]
    sigma = torch.linalg.svdvals(subject.model.metric.E).tolist()
    rows = files[2].read_text().splitlines()[1:]
    assert [float(row.split(",")[1]) for row in rows] == pytest.approx(sigma, abs=1e-5)


def test_the_plotted_accuracies_are_those_of_the_numbers() -> None:
    subject = CASES["untrained"]()
    exploration = subject.exploration
    illustration = illustrate_accuracy(subject)
    by_visit = illustration.tables[0].columns
    drawn = np.array(illustration.figure.axes[0].lines[0].get_xydata())
    assert drawn[:, 1].tolist() == by_visit["TEM VAE accuracy, value"].tolist()
    right = (exploration.remembered == subject.walks.classes)[exploration.kinds.revisit]
    mean = np.average(by_visit["TEM VAE accuracy, value"], weights=by_visit["moves"])
    assert mean == pytest.approx(float(right.float().mean()))


def test_figures_do_not_move_the_global_generator() -> None:
    subject = CASES["untrained"]()
    before = torch.random.get_rng_state()
    illustrate_neighborhoods(subject)
    illustrate_distances(subject)
    assert torch.equal(before, torch.random.get_rng_state())


def test_frames_of_the_animation_are_bright_and_of_one_size() -> None:
    subject = CASES["untrained"]()
    frames = [rasterise(draw_step(subject.trace, step, subject.appearance)) for step in (0, 30)]
    assert {frame.size for frame in frames} == {(640, 360)}
    assert all(np.asarray(frame).mean() > 150 for frame in frames)


def test_a_white_figure_is_white() -> None:
    pixels = np.asarray(rasterise(Figure(figsize=(1, 1))))
    assert pixels.dtype == np.uint8
    assert pixels.min() == 255
