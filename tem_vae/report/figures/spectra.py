"""Figures: spectra of E and S⁻¹E, and the rows of E in percept space."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tem_vae.report.appearance import Appearance
from tem_vae.report.measurements.spectra import Spectra
from tem_vae.report.style import (
    BLACK,
    BLUE,
    DIVERGING_MAP,
    ORANGE,
    WIDTH,
    count,
    show_picture,
    split,
    styled,
)

_MOST_ROWS = 16
_COLUMNS = 4


@styled
def draw_spectra(data: Spectra, appearance: Appearance) -> Figure:
    """Singular values on the left; on the right what the directions see in a percept."""
    figure = Figure(figsize=(WIDTH, 3.8))
    left, right = split(figure, 1, 2, widths=(1, 1.05))
    axes = left.add_subplot()
    index = np.arange(1, len(data.embedding) + 1)
    axes.plot(
        index,
        data.whitening,
        "s--",
        color=ORANGE,
        markersize=5,
        label=f"S⁻¹E, effective rank {data.effective_rank_whitening:.1f}",
    )
    axes.plot(
        index,
        data.embedding,
        "o-",
        color=BLUE,
        markersize=3.5,
        label=f"E, effective rank {data.effective_rank_embedding:.1f}",
    )
    if data.tau > 0:
        axes.axhline(
            np.sqrt(data.tau), color=BLACK, linewidth=0.9, linestyle=":", label=f"√tau = {data.tau**0.5:.3g}"
        )
    axes.set_yscale("log")
    axes.set(xlabel="index", ylabel="singular value")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="best")
    shown = min(len(data.pulled_back), _MOST_ROWS)
    rows = -(-shown // _COLUMNS)
    grid = right.subplots(rows, _COLUMNS, squeeze=False)
    limit = float(np.abs(data.pulled_back[:shown]).max())
    for number, cell in enumerate(grid.flat):
        if number < shown:
            show_picture(cell, appearance.arrange(data.pulled_back[number]), (-limit, limit), DIVERGING_MAP)
            cell.set_title(f"{number + 1}", fontsize=7.5, pad=2)
        else:
            cell.set_axis_off()
    right.suptitle("Directions in percept space", fontsize=9.5)
    return figure


def describe_spectra(data: Spectra, appearance: Appearance) -> str:
    """The caption."""
    shown = min(len(data.pulled_back), _MOST_ROWS)
    shape = "" if appearance.is_image else ", features in reading order"
    return (
        f"Left: singular values of E (M = {len(data.embedding)}, from {data.embedding[0]:.3g} to "
        f"{data.embedding[-1]:.3g}) and of S⁻¹E, which is what the density measures; below √tau a smaller "
        "singular value of E makes a direction count more. Right: what a standard deviation of each feature "
        f"adds to the first {count(shown, 'principal coordinate')} of E c(x){shape}, by their mean gradient "
        f"over {count(data.percepts, 'percept')}; orange positive, purple negative, one scale for all."
    )
