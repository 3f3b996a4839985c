"""Bound and accuracies over training, and when path integration locked in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.illustration import Illustration
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    Line,
    frame_percent,
    sentence_figure,
    show_sentence,
    styled,
)
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table
from tem_vae.runs.history import Series, extract_series, read_history

_LOCKED_IN = 0.9  # of the best zero-shot accuracy of the run

BOUND = ("elbo/elbo", "elbo/reconstruction", "elbo/kl")
VALIDATION_BOUND = ("elbo/validation_elbo", "elbo/validation_reconstruction", "elbo/validation_kl")
ACCURACIES = (
    "prediction/zero_shot_accuracy",
    "prediction/revisit_accuracy",
    "prediction/decoded_zero_shot_accuracy",
)
NO_HISTORY = "There is no history.csv beside the checkpoint, or nothing was logged: no training to show."

_TERMS = ("ELBO", "reconstruction", "KL")
_TERM_LINES = (Line(BLUE, "-", "o"), Line(GREEN, "--", "^"), Line(ORANGE, "-.", "s"))
_SCORES = {
    ACCURACIES[0]: ("zero-shot links", Line(BLUE, "-", "o")),
    ACCURACIES[1]: ("revisits", Line(GREY, "--", "^")),
    ACCURACIES[2]: ("zero-shot links, decoded", Line(ORANGE, "-.", "s")),
}


def illustrate_training(subject: Subject) -> Illustration:
    """The course of training."""
    data = measure_training(subject.history)
    return Illustration(
        "training",
        "Training: when path integration locked in",
        draw_training(data),
        describe_training(data),
        data.tables(),
    )


@dataclass(frozen=True)
class TrainingHistory:
    """What was logged in the course of a run.

    Attributes:
        series: The scalars that figures show, by logged name; one that was never logged is missing.
        locked_in: The first validation from which on zero-shot accuracy stayed at 90 % or more of the run's
            best, in updates; None if it did not, or if there was no validation.
    """

    series: dict[str, Series]
    locked_in: int | None

    def tables(self) -> list[Table]:
        """One table in long form."""
        names = [name for name, series in self.series.items() for _ in series.updates]
        columns = {
            "scalar": np.array(names, dtype=object),
            "update": np.concatenate([s.updates for s in self.series.values()] or [np.array([])]),
            "value": np.concatenate([s.values for s in self.series.values()] or [np.array([])]),
        }
        return [Table("training_history", columns)]


def measure_training(path: Path | None) -> TrainingHistory:
    """The bounds and accuracies in a ``history.csv``; nothing if there is none."""
    scalars = extract_series(read_history(path)) if path else {}
    shown = (*BOUND, *VALIDATION_BOUND, *ACCURACIES)
    series = {name: scalars[name] for name in shown if name in scalars}
    return TrainingHistory(series, find_lock_in(series.get(ACCURACIES[0])))


def find_lock_in(zero_shot: Series | None) -> int | None:
    """The update of the first validation from which on 90 % or more of the best accuracy was kept."""
    if zero_shot is None or zero_shot.values.max() == 0:
        return None
    (below,) = np.nonzero(zero_shot.values < _LOCKED_IN * zero_shot.values.max())
    first = below[-1] + 1 if len(below) else 0
    return int(zero_shot.updates[first]) if first < len(zero_shot.updates) else None


@styled
def draw_training(data: TrainingHistory) -> Figure:
    """The bound and its terms above, accuracies on validation walks below."""
    if not data.series:
        return sentence_figure(NO_HISTORY)
    figure = Figure(figsize=(WIDTH, 5.6))
    panels = figure.subplots(3, 1, sharex=True)
    _draw_terms(panels[0], data, (0, 1))
    _draw_terms(panels[1], data, (2,))
    _draw_accuracies(panels[2], data)
    if data.locked_in is not None:
        for axes in panels:
            axes.axvline(data.locked_in, color=BLACK, linewidth=0.9, linestyle=":")
    panels[2].set_xlabel("update")
    return figure


def _draw_terms(axes: Axes, data: TrainingHistory, terms: tuple[int, ...]) -> None:
    """Some terms of the bound; what the first updates did may lie outside."""
    shown = []
    for term in terms:
        line = _TERM_LINES[term]
        for name, linewidth, label in ((BOUND[term], 0.8, None), (VALIDATION_BOUND[term], 1.6, _TERMS[term])):
            if name not in data.series:
                continue
            series = data.series[name]
            marks = line.linestyle + line.marker if label else "-"
            axes.plot(series.updates, series.values, marks, color=line.color, lw=linewidth, label=label)
            shown.append(series.values[len(series.values) // 20 :])
    if not shown:
        show_sentence(axes, "No bound was logged.")
        return
    low, high = np.concatenate(shown).min(), np.concatenate(shown).max()
    axes.set_ylim(low - 0.08 * (high - low) - 0.1, high + 0.08 * (high - low) + 0.1)
    axes.set_ylabel("nats per percept")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="validation;\nthin: training")


def _draw_accuracies(axes: Axes, data: TrainingHistory) -> None:
    logged = [name for name in _SCORES if name in data.series]
    if not logged:
        show_sentence(axes, "No move over a known place was scored in validation.")
        return
    for name in logged:
        label, line = _SCORES[name]
        series = data.series[name]
        marks = line.linestyle + line.marker
        axes.plot(series.updates, series.values, marks, color=line.color, label=label)
    frame_percent(axes)
    axes.set_ylabel("predicted (%)")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="validation")


def describe_training(data: TrainingHistory) -> str:
    """The caption."""
    if not data.series:
        return NO_HISTORY
    text = (
        "The bound, its terms (the first twentieth may lie outside the frame) and accuracies on validation "
        "walks; one run, one seed."
    )
    if ACCURACIES[0] not in data.series:
        return text
    if data.locked_in is None:
        return f"{text} Path integration was not seen to lock in."
    best = data.series[ACCURACIES[0]].values.max()
    return (
        f"{text} Dotted: path integration has locked in, that is from this validation on, at update "
        f"{data.locked_in:,}, zero-shot accuracy stayed at 90 % or more of its best, {100 * best:.1f} %. A "
        "dip before that may come while memory, which forgets at first, learns to hold on; a step in the "
        "training terms, from longer walks later in training."
    )
