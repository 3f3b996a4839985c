"""The report of an evaluation: one HTML file that needs no network, figures and numbers beside it."""

import base64
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.progress import track

from tem_vae.data import HeldOutWalks, UnknownTruthError
from tem_vae.evaluation.tables import (
    describe_accuracies,
    describe_bound,
    describe_distances,
    describe_r2,
    scored,
)
from tem_vae.evaluation.trained import TrainedRun
from tem_vae.report.figures.walk_animation import animate_walk, animated_steps
from tem_vae.report.gallery import gallery_of
from tem_vae.report.illustration import Illustration
from tem_vae.report.subject import Subject
from tem_vae.runs.folder import Metrics, RunFolder

_T = TypeVar("_T")


@dataclass(frozen=True)
class PageFigure:
    """A figure as the template shows it.

    Attributes:
        illustration: The figure, its title and its caption.
        image: The PNG as a data URI.
        files: Paths of the same figure and its numbers, relative to the page.
    """

    illustration: Illustration
    image: str
    files: list[str]


def write_report(
    run: TrainedRun,
    checkpoint: Path,
    walks: HeldOutWalks,
    metrics: Metrics,
    folder: Path,
) -> Path:
    """Draw every figure of a trained model on held-out walks and write the page.

    Args:
        run: The trained model with its configuration.
        checkpoint: Where it came from; training is shown if ``history.csv`` stands in its run's directory.
        walks: The walks.
        metrics: The scores on the same walks.
        folder: Receives ``index.html``, and ``figures/`` with every figure as PNG and SVG and every plotted
            number as CSV.

    Returns:
        The page.
    """
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    history = RunFolder.of(checkpoint).history
    batches = list(_track(walks.loader(), "Walks", -(-walks.walks // walks.batch_size)))
    subject = Subject(run.model, walks.source, batches, walks.seed, history)
    drawn, left_out = [], []
    gallery = gallery_of(run.model)
    for entry in _track(gallery, "Figures", len(gallery)):
        try:
            drawn.append(_embed(entry.illustrate(subject), figures))
        except UnknownTruthError as reason:
            left_out.append(f"{entry.name.replace('_', ' ')} {reason}")
        except Exception as error:
            left_out.append(f"{entry.name.replace('_', ' ')} cannot be drawn: {error}")
    animation = None
    try:
        animation = _animate(subject, figures / "walk.gif")
    except Exception as error:
        left_out.append(f"the animation cannot be drawn: {error}")
    page = folder / "index.html"
    page.write_text(_render(run, checkpoint, walks, metrics, drawn, left_out, animation), encoding="utf-8")
    return page


def _animate(subject: Subject, path: Path) -> Path | None:
    """Write the animation; None if the walk cannot be shown."""
    try:
        trace = subject.trace
    except UnknownTruthError:
        return None
    frames = len(animated_steps(trace))
    animate_walk(trace, subject.appearance, path, lambda steps: _track(steps, "Animation", frames))
    return path


def _embed(illustration: Illustration, folder: Path) -> PageFigure:
    files = illustration.save(folder)
    return PageFigure(illustration, _data_uri(files[0]), [f"{folder.name}/{file.name}" for file in files])


def _render(
    run: TrainedRun,
    checkpoint: Path,
    walks: HeldOutWalks,
    metrics: Metrics,
    drawn: list[PageFigure],
    left_out: list[str],
    animation: Path | None,
) -> str:
    loader = PackageLoader("tem_vae.evaluation", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("report.html").render(
        checkpoint=checkpoint,
        walks=walks,
        run_seed=run.config.seed,
        accuracies=scored(describe_accuracies(metrics)),
        bound=scored(describe_bound(metrics)),
        r2=scored(describe_r2(metrics)),
        distances=scored(describe_distances(metrics)),
        drawn=drawn,
        left_out=left_out,
        animation=_data_uri(animation) if animation else None,
    )


def _data_uri(path: Path) -> str:
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:image/{path.suffix.removeprefix('.')};base64,{content}"


def _track(items: Iterable[_T], description: str, total: int) -> Iterable[_T]:
    """The same items, with a progress bar where there is a terminal to draw it on."""
    return track(items, description, total=total, disable=not sys.stdout.isatty())
