"""The panels of the dashboard drawn from ``history.csv``: to look at runs without wandb, or side by side."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tem_vae.arrays import FloatArray
from tem_vae.report.style import BLACK, COLORS, plain, show_sentence, styled
from tem_vae.runs.history import Series
from tem_vae.sweeps.dashboard.panels import Panel

_COLUMNS = 3
_LINESTYLES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
_BEGINNING = 20
_NOT_LOGGED = "Nothing of this was logged."


@styled
def draw_panels(panels: Sequence[Panel], runs: Mapping[str, Mapping[str, Series]]) -> Figure:
    """A panel each, over updates; a run is a color, a scalar of a panel a line style.

    Args:
        panels: Those that show histograms are left out: ``history.csv`` has none.
        runs: By name, the logged scalars by name.
    """
    drawn = [panel for panel in panels if not any(key.startswith("histogram/") for key in panel.keys)]
    rows = -(-len(drawn) // _COLUMNS)
    figure = Figure(figsize=(3.6 * _COLUMNS, 2.3 * rows + 0.3))
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes, panel in zip(grid.flat, drawn, strict=False):
        _draw_panel(axes, panel, runs)
    for axes in grid.flat[len(drawn) :]:
        axes.set_axis_off()
    handles = [Line2D([], [], color=color) for color in COLORS[: len(runs)]]
    figure.legend(handles, list(map(plain, runs)), loc="outside lower center", ncols=min(4, len(runs)))
    return figure


def _draw_panel(axes: Axes, panel: Panel, runs: Mapping[str, Mapping[str, Series]]) -> None:
    axes.set_title(panel.title, fontsize=8.5)
    names = [name for name in dict.fromkeys(n for run in runs.values() for n in run) if _shows(panel, name)]
    if not names:
        show_sentence(axes, _NOT_LOGGED)
        return
    many = len(names) > len(_LINESTYLES)
    for run, color in zip(runs.values(), COLORS, strict=False):
        for number, name in enumerate(names):
            if name in run:
                linestyle = "-" if many else _LINESTYLES[number]
                width = 0.6 if many else 1.3
                axes.plot(run[name].updates, run[name].values, linestyle, color=color, lw=width)
    if panel.log_scale:
        axes.set_yscale("log")
    else:
        _frame(axes, [run[name].values for run in runs.values() for name in names if name in run])
    axes.set_xlabel("update")
    if 1 < len(names) <= len(_LINESTYLES):
        keys = [Line2D([], [], color=BLACK, linestyle=style) for style in _LINESTYLES[: len(names)]]
        axes.legend(keys, [name.partition("/")[2] for name in names], fontsize=6.5)


def _frame(axes: Axes, lines: Sequence[FloatArray]) -> None:
    """What the first updates did may lie outside: it would flatten all that came after."""
    shown = np.concatenate([values[len(values) // _BEGINNING :] for values in lines])
    margin = 0.05 * (shown.max() - shown.min()) + 1e-9
    axes.set_ylim(shown.min() - margin, shown.max() + margin)


def _shows(panel: Panel, name: str) -> bool:
    return name in panel.keys or bool(panel.regex and re.fullmatch(panel.regex, name))
