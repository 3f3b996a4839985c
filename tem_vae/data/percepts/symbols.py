"""Synthetic percepts whose relevant subspace is known."""

import numpy as np
import torch

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data.source import FloatPercepts, References, Split


class Symbols:
    """Prototypes in a relevant subspace, hidden among nuisance dimensions of equal variance.

    A class is a prototype, drawn once from a standard normal in a random subspace of dimension
    ``relevant_dim``; each visit adds fresh standard normal noise in the orthogonal complement.
    The subspace that a metric should find is known: ``relevant_basis``. Every feature has mean about 0
    and variance about 1 as drawn, so nothing is left to standardise.

    Args:
        n_classes: Prototypes.
        percept_dim: Dimension of a percept.
        relevant_dim: Dimension of the subspace that holds the prototypes.
        seed: Decides subspace and prototypes.

    Raises:
        ValueError: If ``relevant_dim`` is not between 1 and ``percept_dim``.
    """

    image_shape = None

    def __init__(self, n_classes: int, percept_dim: int, relevant_dim: int, seed: int) -> None:
        if not 1 <= relevant_dim <= percept_dim:
            raise ValueError(
                f"relevant_dim must be between 1 and percept_dim = {percept_dim}, got {relevant_dim}"
            )
        rng = np.random.default_rng(seed)
        basis = np.linalg.qr(rng.standard_normal((percept_dim, percept_dim)))[0]
        self.n_classes = n_classes
        self.percept_shape = (percept_dim,)
        self.relevant_basis: FloatArray = basis[:, :relevant_dim]
        self._nuisance_basis = torch.from_numpy(basis[:, relevant_dim:].astype(np.float32))
        prototypes = rng.standard_normal((n_classes, relevant_dim)) @ self.relevant_basis.T
        self._prototypes = prototypes.astype(np.float32)

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        """The prototype of each class plus new noise; all splits have the same prototypes."""
        nuisance = rng.standard_normal((*classes.shape, self._nuisance_basis.shape[1]), dtype=np.float32)
        # By torch, which keeps to the threads that the trainer was given; numpy would take every core.
        irrelevant: FloatPercepts = (torch.from_numpy(nuisance) @ self._nuisance_basis.T).numpy()
        percepts: FloatPercepts = self._prototypes[classes] + irrelevant
        return percepts

    def references(self) -> References:
        """The prototypes, one for each class."""
        return References(self._prototypes, np.arange(self.n_classes))
