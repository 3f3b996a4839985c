"""Figure: decoded neighborhoods at growing scale, and the nearest real percepts in two distances."""

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tem_vae.data.percepts import FloatPercepts
from tem_vae.report.appearance import Appearance
from tem_vae.report.measurements.neighborhood_samples import NeighborhoodSamples, Neighbors
from tem_vae.report.style import WIDTH, count, per_cent, show_picture, styled

_GAP = 0.25  # of a picture's width


@styled
def draw_neighborhoods(data: NeighborhoodSamples, appearance: Appearance) -> Figure:
    """A row for each reference percept."""
    rows, neighbors = data.by_metric.indices.shape
    groups = {
        "Percept": 1,
        f"Decoded at scale (eps_q = {data.unit_scale:g})": 1 + len(data.scales),
        "Nearest in d_E": neighbors,
        "Nearest by features": neighbors,
    }
    figure = Figure(figsize=(WIDTH, 0.55 + 0.5 * rows))
    # Laid out by hand: so many axes would take matplotlib seconds.
    figure.set_layout_engine("none")
    reference, decoded, by_metric, by_features = _split_columns(figure, rows, groups)
    for row in range(rows):
        _show_row(reference[row], [data.references[row]], appearance)
        reference[row, 0].set_ylabel(str(data.reference_classes[row]), rotation=0, ha="right", va="center")
        _show_row(decoded[row], [data.reconstructions[row], *data.samples[row]], appearance)
        _show_neighbors(by_metric[row], data, data.by_metric, row, appearance)
        _show_neighbors(by_features[row], data, data.by_features, row, appearance)
    for axes, scale in zip(decoded[-1], (0.0, *data.scales), strict=True):
        axes.set_xlabel(f"{scale:g}", fontsize=8)
    return figure


def _split_columns(figure: Figure, rows: int, groups: dict[str, int]) -> list[npt.NDArray[np.object_]]:
    """A grid of axes for each group of columns, with its title above and a gap between groups."""
    widths = [width for size in groups.values() for width in [*[1.0] * size, _GAP]][:-1]
    margin = 0.3 / figure.get_figheight()
    frame = {
        "left": 0.03,
        "right": 0.995,
        "bottom": margin,
        "top": 1 - margin,
        "wspace": 0.12,
        "hspace": 0.12,
    }
    grid = figure.subplots(rows, len(widths), squeeze=False, width_ratios=widths, gridspec_kw=frame)
    for gap in grid[:, [i for i, width in enumerate(widths) if width == _GAP]].flat:
        gap.remove()
    parts, first = [], 0
    for title, size in groups.items():
        part = grid[:, first : first + size]
        middle = part[0, size // 2]
        middle.set_title(title, fontsize=8.5, loc="center", x=0.5 if size % 2 else -0.1)
        parts.append(part)
        first += size + 1
    return parts


def _show_row(cells: npt.NDArray[np.object_], percepts: list[FloatPercepts], appearance: Appearance) -> None:
    for axes, percept in zip(cells, percepts, strict=True):
        show_picture(axes, appearance.picture(percept), appearance.value_range)


def _show_neighbors(
    cells: npt.NDArray[np.object_],
    data: NeighborhoodSamples,
    neighbors: Neighbors,
    row: int,
    appearance: Appearance,
) -> None:
    indices = neighbors.indices[row]
    _show_row(cells, list(data.pool[indices]), appearance)
    for axes, label in zip(cells, data.pool_classes[indices], strict=True):
        _name_class(axes, int(label), other=label != data.reference_classes[row])


def _name_class(axes: Axes, label: int, other: bool) -> None:
    """The class in a corner, on white; one that is not the reference's stands in a box."""
    edge = "#D55E00" if other else "none"
    box = {"facecolor": "white", "edgecolor": edge, "pad": 1.2, "linewidth": 1.0}
    axes.text(
        0.96, 0.05, str(label), transform=axes.transAxes, ha="right", va="bottom", fontsize=6.5, bbox=box,
        color="#D55E00" if other else "#0072B2",
    )  # fmt: skip


def describe_neighborhoods(data: NeighborhoodSamples, appearance: Appearance) -> str:
    """The caption."""
    shape = "" if appearance.is_image else " A percept is shown as a grid of its features in reading order."
    return (
        "Each row: a held-out percept and its class, its own reconstruction (scale 0) and a sample of its "
        "neighborhood at growing scale, in units of eps_q, with the same noise u throughout; then the real "
        f"percepts nearest to it among {count(len(data.pool), 'other')}, with their classes, boxed where it "
        "is not the row's. Over all queries the neighbors share the class in "
        f"{per_cent(data.by_metric.same_class)} of cases by d_E and {per_cent(data.by_features.same_class)} "
        f"by the Euclidean distance of features: the difference is what the metric ignores.{shape}"
    )
