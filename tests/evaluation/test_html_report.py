"""The report of a run of no update: one file that needs no network, its numbers beside it."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from composed import compose_evaluation, compose_short_run

from tem_vae.data import SimulatedWalks, Walks
from tem_vae.evaluation import page as page_module
from tem_vae.evaluation.run import evaluate
from tem_vae.report.figures import walk_animation
from tem_vae.runs.folder import Metrics
from tem_vae.training.run import train


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    train(compose_short_run("trainer.max_steps=0"), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def report(run_dir: Path) -> tuple[Path, Metrics]:
    folder = run_dir.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk_animation, "FRAMES", 3)
        config = compose_evaluation(f"checkpoint={folder / 'run'}", "report=true", "data.walks=2")
        (metrics,) = evaluate(config, folder / "evaluation").values()
    return folder / "evaluation" / "report", metrics


class References(HTMLParser):
    """Gathers what a page refers to and what it contains."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.sources += [values["src"]] if "src" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.ids |= {values["id"]} if "id" in values else set()


def test_the_page_loads_nothing_from_anywhere(report: tuple[Path, Metrics]) -> None:
    page = (report[0] / "index.html").read_text()
    references = References(page)
    assert len(references.sources) == 11
    assert all(source.startswith("data:image/") for source in references.sources)
    assert "<script" not in page
    assert re.search(r"@import|url\(", page) is None


def test_every_link_leads_somewhere(report: tuple[Path, Metrics]) -> None:
    references = References((report[0] / "index.html").read_text())
    for link in references.links:
        if link.startswith("#"):
            assert link[1:] in references.ids
        elif not link.startswith("data:"):
            assert (report[0] / link).is_file(), link


def test_every_figure_is_there_as_png_svg_and_numbers(report: tuple[Path, Metrics]) -> None:
    figures = report[0] / "figures"
    names = {path.stem for path in figures.glob("*.png")}
    assert len(names) == 10
    assert names == {path.stem for path in figures.glob("*.svg")}
    assert (figures / "walk.gif").read_bytes().startswith(b"GIF89a")
    with (figures / "accuracy_by_visit.csv").open() as file:
        rows = list(csv.DictReader(file))
    right = sum(int(row["moves"]) * float(row["TEM VAE accuracy, value"]) for row in rows)
    revisits = sum(int(row["moves"]) for row in rows)
    assert right / revisits == pytest.approx(report[1]["test/revisit_accuracy"], abs=1e-6)


def test_the_scores_stand_on_the_page(report: tuple[Path, Metrics]) -> None:
    page = (report[0] / "index.html").read_text()
    elbo = report[1]["test/elbo"]
    assert elbo is not None
    assert f"{elbo:.2f}" in page
    assert "no training to show" in page


def test_figures_that_need_what_nobody_recorded_are_left_out_and_the_page_says_so(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sample_unknown(self: SimulatedWalks, rng: np.random.Generator) -> Walks:
        return sample(self, rng)._replace(truth=None)

    sample = SimulatedWalks.sample
    monkeypatch.setattr(SimulatedWalks, "sample", sample_unknown)
    config = compose_evaluation(f"checkpoint={run_dir}", "report=true", "data.walks=2")
    evaluate(config, tmp_path)
    page = (tmp_path / "report" / "index.html").read_text()
    assert "R² of predicted percepts" in page  # and no table of what nobody knows
    assert "Moves predicted" not in page
    assert "Distance to where memory looks" not in page
    assert "<li>world map needs places, which these walks do not have.</li>" in page
    references = References(page)
    assert len(references.sources) == 4
    assert {"neighborhoods", "spectra", "path_integration", "training"} <= references.ids
    assert not (tmp_path / "report" / "figures" / "walk.gif").exists()


def test_an_animation_that_cannot_be_drawn_is_left_out(
    run_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no <ink> left")

    monkeypatch.setattr(page_module, "animate_walk", fail)
    config = compose_evaluation(f"checkpoint={run_dir}", "report=true", "data.walks=2", "data.walk_length=60")
    evaluate(config, tmp_path)
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<li>the animation cannot be drawn: no &lt;ink&gt; left.</li>" in page
