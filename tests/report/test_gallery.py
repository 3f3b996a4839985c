"""Every figure of models and walks that have little to show: something or a sentence in each panel."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from tem_vae.arrays import IntArray
from tem_vae.data import (
    Digits,
    MomentumPolicy,
    PerceptSource,
    RectangularWorlds,
    SimulatedWalks,
    Symbols,
    Truth,
    UnknownTruthError,
    Walks,
)
from tem_vae.data.source import FloatPercepts, References, Split
from tem_vae.geometry import Pseudometric
from tem_vae.model import GaussianLikelihood, MemoryPrior, MlpDecoder, MlpEncoder, PathIntegrator, TemVae
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
        MemoryPrior(12, scale=0.7, initial_precision=10.0, prototypes=3),
        MlpDecoder(rank, 8, source.percept_shape, GaussianLikelihood(1.0)),
        scale=0.7,
    )
    batch = walks.sample(np.random.default_rng(0))
    return Subject(model.eval(), walks, [batch], seed=0)


class Colors:
    """Images of three channels, of four classes."""

    percept_shape = (3, 4, 5)
    n_classes = 4
    image_shape = None
    relevant_basis = None

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        noise = rng.standard_normal((*classes.shape, *self.percept_shape))
        return (noise + classes[..., None, None, None]).astype(np.float32)

    def references(self) -> References:
        classes = np.arange(self.n_classes)
        return References(self.sample(classes, "train", np.random.default_rng(0)), classes)


CASES: dict[str, Callable[[], Subject]] = {
    "untrained": lambda: build(Digits(0), 4, (5, 5), 60),
    "rank 1": lambda: build(Digits(0), 1, (4, 4), 40),
    "no revisit": lambda: build(Digits(0), 3, (5, 5), 2),
    "corridor": lambda: build(Digits(0), 3, (1, 6), 40),
    "one place": lambda: build(Digits(0), 3, (1, 1), 5),
    "colors": lambda: build(Colors(), 3, (3, 3), 30),
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


def left_out(subject: Subject) -> dict[str, str]:
    """The figures that cannot be drawn, by name, each with the reason."""
    reasons = {}
    for entry in GALLERY:
        try:
            entry.illustrate(subject)
        except UnknownTruthError as reason:
            reasons[entry.name] = str(reason)
    return reasons


@pytest.mark.parametrize(
    ("missing", "names"),
    [
        ("places", {"walk", "accuracy", "distances", "rate_maps", "world_map", "novelty"}),
        ("classes", {"accuracy", "distances"}),
        ("positions", {"walk", "rate_maps", "world_map"}),
    ],
)
@pytest.mark.parametrize("case", ["untrained", "no images"])
def test_a_figure_whose_truth_is_missing_is_left_out_with_the_reason(
    case: str, missing: str, names: set[str]
) -> None:
    subject = CASES[case]()
    (batch,) = subject.batches
    assert batch.truth is not None
    truth = batch.truth._replace(**{missing: None})
    reasons = left_out(replace(subject, batches=[batch._replace(truth=truth)]))
    assert set(reasons) == names
    assert set(reasons.values()) == {f"needs {missing}, which these walks do not have"}


class Recorded:
    """A source of walks that cannot draw percepts anew."""

    percepts = None

    def __init__(self, source: SimulatedWalks) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def test_recorded_percepts_have_no_neighborhoods_drawn() -> None:
    subject = CASES["untrained"]()
    assert isinstance(subject.source, SimulatedWalks)
    recorded = replace(subject, source=Recorded(subject.source))
    assert left_out(recorded) == {
        "neighborhoods": "needs a source of percepts by class, which recorded walks do not have"
    }


def test_padding_changes_no_number() -> None:
    """Walks of one length, and the same padded in batches of two lengths."""
    subject = CASES["untrained"]()
    (batch,) = subject.batches
    padded = [pad(batch.row(0), 3), pad(batch.row(1), 5), batch.row(2)]
    other = replace(subject, batches=padded)
    for entry in GALLERY:
        tables, others = entry.illustrate(subject).tables, entry.illustrate(other).tables
        for table, same in zip(tables, others, strict=True):
            assert table.columns.keys() == same.columns.keys()
            for header, column in table.columns.items():
                if column.dtype.kind == "f":
                    np.testing.assert_allclose(same.columns[header], column, atol=1e-5, err_msg=header)
                else:
                    assert same.columns[header].tolist() == column.tolist(), header


def pad(walks: Walks, steps: int) -> Walks:
    """The walks with padded steps behind."""

    def longer(values: Tensor) -> Tensor:
        return torch.cat([values, torch.zeros_like(values[:, :1]).repeat_interleave(steps, dim=1)], dim=1)

    assert walks.truth is not None
    truth = Truth(*(None if field is None else longer(field) for field in walks.truth))
    return Walks(longer(walks.percepts), longer(walks.actions), longer(walks.mask), truth)
