"""Spectra of E and of the whitening S⁻¹E, and what their directions mean for percepts."""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from tem_vae.arrays import FloatArray
from tem_vae.data.source import FloatPercepts
from tem_vae.model import TemVae
from tem_vae.report.appearance import Appearance
from tem_vae.report.illustration import Illustration
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
from tem_vae.report.subject import Subject
from tem_vae.report.table import Table, flatten_array
from tem_vae.scores.spectrum import measure_spectrum, unscaled_whitening

_LINEARISED_AT = 200
_MOST_ROWS = 16
_COLUMNS = 4


def illustrate_spectra(subject: Subject) -> Illustration:
    """Spectra of E and S⁻¹E, and the rows of E in percept space."""
    data = measure_spectra(subject.model, subject.percepts(_LINEARISED_AT))
    return Illustration(
        "spectra",
        "Spectra: how many directions count",
        draw_spectra(data, subject.appearance),
        describe_spectra(data, subject.appearance),
        data.tables(),
    )


@dataclass(frozen=True)
class Spectra:
    """How many directions of a code count, how much, and what they are sensitive to.

    Attributes:
        embedding: Singular values of E, descending, (M,).
        whitening: Singular values of S⁻¹E, descending, (M,).
        effective_rank_embedding: Effective rank of E.
        effective_rank_whitening: Effective rank of S⁻¹E.
        tau: The regulariser; below √tau a smaller singular value of E makes a direction count more.
        pulled_back: Sensitivity of each principal direction of E to each feature, (M, *percept_shape).
        percepts: Over how many percepts the sensitivity was averaged.
    """

    embedding: FloatArray
    whitening: FloatArray
    effective_rank_embedding: float
    effective_rank_whitening: float
    tau: float
    pulled_back: FloatPercepts
    percepts: int

    def tables(self) -> list[Table]:
        """Singular values, and the rows in percept space."""
        values = {
            "index": np.arange(1, len(self.embedding) + 1),
            "singular value of E": self.embedding,
            "singular value of S^-1 E": self.whitening,
        }
        features = self.pulled_back.reshape(len(self.pulled_back), -1)
        rows = flatten_array("rows_in_percept_space", features, ("direction", "feature"), "sensitivity")
        return [Table("spectra", values), rows]


def measure_spectra(model: TemVae, percepts: Tensor) -> Spectra:
    """Spectra of a model's metric, and its rows pulled back through the encoder.

    Args:
        model: The model.
        percepts: Where the encoder is linearised, (n, *percept_shape).
    """
    with torch.no_grad():
        factorization = model.metric.factorize()
        embedding = measure_spectrum(factorization.embedding)
        whitening = measure_spectrum(unscaled_whitening(factorization))
    return Spectra(
        embedding=embedding.singular_values.numpy(),
        whitening=whitening.singular_values.numpy(),
        effective_rank_embedding=float(embedding.effective_rank),
        effective_rank_whitening=float(whitening.effective_rank),
        tau=model.metric.tau,
        pulled_back=pull_back(model, percepts).numpy(),
        percepts=len(percepts),
    )


def pull_back(model: TemVae, percepts: Tensor) -> Tensor:
    r"""What a standard deviation of a feature adds to each principal coordinate of E c(x).

    .. math:: \frac{\sigma_j}{n} \sum_x \frac{\partial}{\partial x_j}\, u_i^T E\, c(x), \; E = U \Sigma V^T,

    with sigma_j the deviation of feature j over the percepts: a gradient alone is largest where nothing ever
    varies. Single rows of E mean nothing: a rotation of all of them changes no distance.

    Args:
        model: Whose metric and encoder are asked.
        percepts: Where the encoder is linearised, (n, *percept_shape).

    Returns:
        Sensitivities, (M, *percept_shape).
    """
    x = percepts.detach().clone().requires_grad_()
    E = model.metric.E.detach()
    principal = torch.linalg.svd(E, full_matrices=False).U.mT @ E
    with torch.enable_grad():
        coordinates = (model.encode(x)[0] @ principal.mT).sum(dim=0)
        gradients = [torch.autograd.grad(c, x, retain_graph=True)[0].mean(dim=0) for c in coordinates]
    return torch.stack(gradients) * percepts.std(dim=0)


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
