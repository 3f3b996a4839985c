"""One look for every figure: sizes, type, and colors legible to the color-blind and in grey."""

import functools
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, ParamSpec

import numpy as np
import numpy.typing as npt
from cycler import cycler
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

WIDTH = 8.0  # inches; 800 pixels wide in a README

# Okabe & Ito's colors, ordered so that neighbors also differ in grey.
BLACK, BLUE, ORANGE, SKY, GREEN, VERMILION, GREY = (
    "#000000",
    "#0072B2",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#D55E00",
    "#777777",
)
COLORS = (BLUE, ORANGE, GREEN, VERMILION, SKY, BLACK, GREY)  # of lines that are told apart by color alone
WEIGHT_MAP = "Blues"  # 0 is white
DIVERGING_MAP = "PuOr_r"  # white is 0
PHASE_MAP = "twilight_shifted"  # cyclic; 0 is white
ORDER_MAP = "cividis"


_RULES: dict[str, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    # White behind the words: lines of the plot may pass there.
    "legend.framealpha": 0.9,
    "legend.edgecolor": "none",
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "axes.prop_cycle": cycler(color=COLORS),
    "image.interpolation": "nearest",
}

_P = ParamSpec("_P")


class Line(NamedTuple):
    """How a series is drawn: two series of one panel differ in more than color."""

    color: str
    linestyle: str
    marker: str


MODEL = Line(BLUE, "-", "o")
NODE_AGENT = Line(GREY, "--", "")
EDGE_AGENT = Line(ORANGE, "-.", "s")
PREDICTORS = {"TEM VAE": MODEL, "node agent": NODE_AGENT, "edge agent": EDGE_AGENT}


def styled(draw: Callable[_P, Figure]) -> Callable[_P, Figure]:
    """Draw in the house style, whatever the style outside is."""

    @functools.wraps(draw)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> Figure:
        with style.context(_RULES):
            return draw(*args, **kwargs)

    return wrapped


def split(
    figure: Figure, rows: int, columns: int, heights: Sequence[float] = (), widths: Sequence[float] = ()
) -> list[SubFigure]:
    """Parts of a figure that lay themselves out on their own, row by row, with given relative sizes."""
    parts = figure.subfigures(
        rows, columns, squeeze=False, height_ratios=heights or None, width_ratios=widths or None
    )
    return list(parts.flat)


def show_sentence(axes: Axes, sentence: str) -> None:
    """Put a sentence where there is nothing to draw."""
    axes.set_axis_off()
    axes.text(
        0.5, 0.5, textwrap.fill(sentence, 38), ha="center", va="center", transform=axes.transAxes, color=GREY
    )


@styled
def sentence_figure(sentence: str) -> Figure:
    """A figure that has nothing to show but can say why."""
    figure = Figure(figsize=(WIDTH, 1.0))
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.text(0.5, 0.5, textwrap.fill(sentence, 100), ha="center", va="center", color=GREY, fontsize=11)
    return figure


def show_picture(
    axes: Axes, picture: npt.NDArray[Any], value_range: tuple[float, float], color_map: str = "gray_r"
) -> None:
    """An image without axes; its frame stays, so that white images have an edge."""
    axes.imshow(picture, cmap=color_map, vmin=value_range[0], vmax=value_range[1])
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set(visible=True, color="#bbbbbb", linewidth=0.6)


def frame_percent(axes: Axes) -> None:
    """Accuracies from 0 to 100 %."""
    axes.set(ylim=(-0.03, 1.05), yticks=np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f}")


def per_cent(share: float) -> str:
    """A share as it stands in a caption."""
    return f"{100 * share:.1f} %"


def plain(name: str) -> str:
    """A name from outside as the text of a figure: matplotlib would read formulas between dollar signs."""
    return name.replace("$", r"\$")


def count(number: int, noun: str) -> str:
    """A number of things: 1 walk, 2,000 walks."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def enumerate_words(words: Sequence[str]) -> str:
    """Words as a sentence lists them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
