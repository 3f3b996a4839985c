"""Figure: bound and accuracies over training, and when path integration locked in."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.measurements.training_history import (
    ACCURACIES,
    BOUND,
    VALIDATION_BOUND,
    TrainingHistory,
)
from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    WIDTH,
    Line,
    frame_percent,
    say,
    sentence_figure,
    styled,
)

NO_HISTORY = "There is no history.csv beside the checkpoint, or nothing was logged: no training to show."

_TERMS = ("ELBO", "reconstruction", "KL")
_TERM_LINES = (Line(BLUE, "-", "o"), Line(GREEN, "--", "^"), Line(ORANGE, "-.", "s"))
_SCORES = {
    ACCURACIES[0]: ("zero-shot links", Line(BLUE, "-", "o")),
    ACCURACIES[1]: ("revisits", Line(GREY, "--", "^")),
    ACCURACIES[2]: ("zero-shot links, decoded", Line(ORANGE, "-.", "s")),
}


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
        say(axes, "No bound was logged.")
        return
    low, high = np.concatenate(shown).min(), np.concatenate(shown).max()
    axes.set_ylim(low - 0.08 * (high - low) - 0.1, high + 0.08 * (high - low) + 0.1)
    axes.set_ylabel("nats per percept")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), title="validation;\nthin: training")


def _draw_accuracies(axes: Axes, data: TrainingHistory) -> None:
    logged = [name for name in _SCORES if name in data.series]
    if not logged:
        say(axes, "No move over a known place was scored in validation.")
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
    if data.locked_in is None:
        return f"{text} Path integration was not seen to lock in."
    best = data.series[ACCURACIES[0]].values.max()
    return (
        f"{text} Dotted: path integration has locked in, that is from this validation on, at update "
        f"{data.locked_in:,}, zero-shot accuracy stayed at 90 % or more of its best, {100 * best:.1f} %. A "
        "dip before that may come while memory, which forgets at first, learns to hold on; a step in the "
        "training terms, from longer walks later in training."
    )
