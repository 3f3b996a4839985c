"""Spectra of E and of the whitening, and what their directions mean for percepts."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tem_vae.arrays import FloatArray
from tem_vae.data.percepts import FloatPercepts
from tem_vae.model import TemVae
from tem_vae.report.table import Table, flatten_array
from tem_vae.scores.spectrum import effective_rank, unscaled_whitening


@dataclass(frozen=True)
class Spectra:
    """How many directions of a code count, how much, and what they are sensitive to.

    Attributes:
        embedding: Singular values of E, descending, (M,).
        whitening: Singular values of S⁻¹E, descending, (M,).
        effective_rank_embedding: Effective rank of E.
        effective_rank_whitening: Effective rank of S⁻¹E.
        tau: The regulariser; below √tau a smaller singular value of E makes a direction count more.
        pulled_back: Sensitivity of each principal direction of E to each feature, (M, percept_dim).
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
        rows = flatten_array(
            "rows_in_percept_space", self.pulled_back, ("direction", "feature"), "sensitivity"
        )
        return [Table("spectra", values), rows]


def measure_spectra(model: TemVae, percepts: Tensor) -> Spectra:
    """Spectra of a model's metric, and its rows pulled back through the encoder.

    Args:
        model: The model.
        percepts: Where the encoder is linearised, (n, percept_dim).
    """
    with torch.no_grad():
        factorization = model.metric.factorize()
        E, whitening = factorization.embedding.double(), unscaled_whitening(factorization).double()
    return Spectra(
        embedding=torch.linalg.svdvals(E).numpy(),
        whitening=torch.linalg.svdvals(whitening).numpy(),
        effective_rank_embedding=float(effective_rank(E)),
        effective_rank_whitening=float(effective_rank(whitening)),
        tau=model.metric.tau,
        pulled_back=pull_back(model, percepts).numpy(),
        percepts=len(percepts),
    )


def pull_back(model: TemVae, percepts: Tensor) -> Tensor:
    r"""What a standard deviation of a feature adds to each principal coordinate of E c(x), (M, percept_dim).

    .. math:: \frac{\sigma_j}{n} \sum_x \frac{\partial}{\partial x_j}\, u_i^T E\, c(x), \; E = U \Sigma V^T,

    with sigma_j the deviation of feature j over the percepts: a gradient alone is largest where nothing ever
    varies. Rows of E as such mean nothing: a rotation of all of them changes no distance.

    Args:
        model: Whose metric and encoder are asked.
        percepts: Where the encoder is linearised, (n, percept_dim).
    """
    x = percepts.detach().clone().requires_grad_()
    E = model.metric.E.detach()
    principal = torch.linalg.svd(E, full_matrices=False).U.mT @ E
    with torch.enable_grad():
        coordinates = (model.encoder(x) @ principal.mT).sum(dim=0)
        gradients = [torch.autograd.grad(c, x, retain_graph=True)[0].mean(dim=0) for c in coordinates]
    return torch.stack(gradients) * percepts.std(dim=0)
