"""Figures of a sweep: what each number that varied does to prediction, bound and spectrum."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.report.style import plain, styled
from tem_vae.sweeps.table import Row

_MEASURED = {
    "test/zero_shot_accuracy": "zero-shot accuracy",
    "test/elbo": "ELBO, nats per percept",
    "test/effective_rank": "effective rank of E",
}
_MOST_LINES_IN_LEGEND = 12
_WIDE = 8.0  # values further apart than this factor are read on a logarithmic axis


def draw_figures(rows: Sequence[Row], folder: Path) -> list[Path]:
    """One figure for each key whose values are numbers; the files written."""
    drawn = []
    for key in rows[0].varied if rows else ():
        if all(isinstance(row.varied[key], int | float) for row in rows):
            drawn.append(folder / f"summary_{key}.png")
            _draw(rows, key).savefig(drawn[-1], dpi=110)
    return drawn


@styled
def _draw(rows: Sequence[Row], key: str) -> Figure:
    figure = Figure(figsize=(4.6 * len(_MEASURED), 4.2))
    for axes, (metric, label) in zip(figure.subplots(1, len(_MEASURED)), _MEASURED.items(), strict=True):
        _draw_lines(axes, [row for row in rows if metric in row.estimates], key, metric)
        _scale_axis(axes, sorted({row.varied[key] for row in rows}))
        axes.set(xlabel=key, ylabel=label)
    handles, labels = axes.get_legend_handles_labels()
    if any(labels) and len(labels) <= _MOST_LINES_IN_LEGEND:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), fontsize=8)
    return figure


def _draw_lines(axes: Axes, rows: Sequence[Row], key: str, metric: str) -> None:
    """A line through the rows that differ in this key alone."""
    lines: dict[str, list[Row]] = {}
    for row in rows:
        others = ", ".join(f"{k.rsplit('.', 1)[-1]} {v}" for k, v in row.varied.items() if k != key)
        lines.setdefault(others, []).append(row)
    for others, members in lines.items():
        axes.errorbar(
            [row.varied[key] for row in members],
            [row.estimates[metric].mean for row in members],
            [row.estimates[metric].standard_error or 0.0 for row in members],
            marker="o",
            markersize=4,
            capsize=2,
            label=plain(others),
        )


def _scale_axis(axes: Axes, values: Sequence[float]) -> None:
    if values[0] <= 0 or values[-1] / values[0] < _WIDE:
        return
    axes.set_xscale("log", base=2 if all(math.log2(value).is_integer() for value in values) else 10)
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()
