"""Accuracy against the CPU-seconds that it took, one line a model and seed."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILION,
    WIDTH,
    Line,
    frame_percent,
    styled,
)
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.job import Result

PURPLE = "#CC79A7"  # the last of Okabe & Ito's colors
_LINES = {
    "tem_vae": Line(BLUE, "-", "o"),
    "tem_vae_recipe": Line(SKY, "-", "s"),
    "mapformer": Line(VERMILION, "--", "^"),
    "mapformer_recipe": Line(PURPLE, "--", "<"),
    "transformer": Line(ORANGE, "--", "v"),
    "lstm": Line(GREEN, "-.", "D"),
    "tem": Line(BLACK, ":", "x"),
    "clones": Line(GREY, ":", "P"),
}
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@styled
def draw_curves(title: str, results: Sequence[Result]) -> Figure:
    """Both accuracies of a task; where there are none, R² at returns and nats a percept."""
    figure = Figure(figsize=(WIDTH, 3.6))
    left, right = figure.subplots(1, 2)
    if _has_accuracies(results):
        _draw(left, results, "revisit")
        _draw(right, results, "zero_shot")
        left.set_title(f"{title}: revisits")
        right.set_title("zero-shot links")
        left.set_ylabel("named right in validation, %")
        frame_percent(left)
        frame_percent(right)
    else:
        _draw(left, results, "decoded_r2_at_returns")
        _draw(right, results, "nats")
        left.set_title(title)
        left.set_ylabel("R² at returns, in validation")
        left.set_ylim(bottom=max(-0.1, left.get_ylim()[0]))
        right.set_ylabel("nats a percept (TEM VAE: a bound)")
    _add_legend(figure, [left, right])
    return figure


@styled
def draw_overview(tasks: Mapping[str, Sequence[Result]]) -> Figure:
    """Accuracy at revisits of every task that has classes."""
    named = {title: results for title, results in tasks.items() if _has_accuracies(results)}
    figure = Figure(figsize=(WIDTH, 3.4))
    panels = figure.subplots(1, max(1, len(named)), sharey=True, squeeze=False)[0]
    for axes, (title, results) in zip(panels, named.items(), strict=False):
        _draw(axes, results, "revisit")
        frame_percent(axes)
        axes.set_title(title.replace(" of the recorded actions replaced", " wrong actions"))
    panels[0].set_ylabel("revisits named right, %")
    _add_legend(figure, panels)
    return figure


def _has_accuracies(results: Sequence[Result]) -> bool:
    return any(point["revisit"] is not None for result in results for point in result.get("curve", ()))


def _draw(axes: Axes, results: Sequence[Result], score: str) -> None:
    labelled = set()
    for result in results:
        model = result["job"]["model"]
        points = [(p["seconds"], p[score]) for p in result.get("curve", ()) if p.get(score) is not None]
        if not points or model not in _LINES:
            continue
        line = _LINES[model]
        axes.plot(
            *zip(*points, strict=True),
            color=line.color,
            linestyle=line.linestyle,
            marker=line.marker,
            markersize=3.5,
            linewidth=1.1,
            label=None if model in labelled else RIVALS[model].title,
        )
        labelled.add(model)
    axes.set_xscale("log")
    shown = axes.get_xlim()
    axes.set_xticks([second for second in _TICKS if shown[0] <= second <= shown[1]], minor=False)
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds:g}")
    axes.minorticks_off()
    axes.set_xlabel("CPU-seconds of training")


def _add_legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One for all panels, each model once."""
    entries = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if entries:
        figure.legend(
            entries.values(),
            entries.keys(),
            loc="outside lower center",
            ncols=min(4, len(entries)),
            fontsize=8,
        )
