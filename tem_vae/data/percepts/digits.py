"""Handwritten digits as percepts."""

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tem_vae.arrays import IntArray
from tem_vae.data.source import FloatPercepts, References, Split


class Digits:
    """Handwritten digits: a class is a digit, and every visit shows an image of it drawn at random.

    The 1,797 images of 8 × 8 pixels that come with scikit-learn, split by image, so that test walks
    show handwriting never seen in training. Standardised: the training mean of each pixel is subtracted,
    and all are divided by 0.3, about the standard deviation of a pixel in units of the full range.

    Args:
        seed: Decides the split.
    """

    n_classes = 10
    image_shape = (8, 8)
    relevant_basis = None
    percept_shape = (64,)
    _full_range = 16.0
    _deviation = 0.3
    _held_out = 300

    def __init__(self, seed: int) -> None:
        images, labels = load_digits(return_X_y=True)
        images, labels = (images / self._full_range).astype(np.float32), labels.astype(np.int64)
        rest, test = self._hold_out(np.arange(len(labels)), labels, seed)
        train, validation = self._hold_out(rest, labels, seed)
        self.mean = images[train].mean(axis=0)
        self._images = self.from_unit_range(images)
        self._labels = labels
        # Ordered by class, so that an image of a class is one index away.
        self._splits: dict[Split, IntArray] = {
            "train": _order_by_class(train, labels),
            "validation": _order_by_class(validation, labels),
            "test": _order_by_class(test, labels),
        }

    def _hold_out(self, images: IntArray, labels: IntArray, seed: int) -> tuple[IntArray, IntArray]:
        kept, held_out = train_test_split(
            images, test_size=self._held_out, random_state=seed, stratify=labels[images]
        )
        return kept, held_out

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        """Draw an image of each class from the split, with replacement."""
        members = self._splits[split]
        counts = np.bincount(self._labels[members], minlength=self.n_classes)
        first = counts.cumsum() - counts
        choice = (rng.random(classes.shape) * counts[classes]).astype(np.int64)
        percepts: FloatPercepts = self._images[members[first[classes] + choice]]
        return percepts

    def references(self) -> References:
        """All training images."""
        train = self._splits["train"]
        return References(self._images[train], self._labels[train])

    def from_unit_range(self, grey: npt.ArrayLike) -> FloatPercepts:
        """Standardise images as those of this source are, (*, 64) in float32.

        Args:
            grey: Grey levels in [0, 1], 1 for ink, of any dtype, (*, 64) or (*, 8, 8).

        Raises:
            ValueError: The shape is another, or a grey level is not in [0, 1].
        """
        grey = self._flatten(grey)
        if not ((grey >= 0) & (grey <= 1)).all():
            raise ValueError(
                f"grey levels must be in [0, 1], but these range from {grey.min():g} to {grey.max():g}; "
                "divide scikit-learn's digits by 16, images of bytes by 255."
            )
        percepts: FloatPercepts = (grey - self.mean) / np.float32(self._deviation)
        return percepts

    def to_unit_range(self, percepts: npt.ArrayLike) -> FloatPercepts:
        """Undo the standardisation, (*, 64) in float32.

        Grey levels of percepts that were shown are in [0, 1]; those of decoded percepts may lie a little
        outside.

        Args:
            percepts: Standardised, of any dtype, (*, 64) or (*, 8, 8).

        Raises:
            ValueError: The shape is another.
        """
        grey: FloatPercepts = self._flatten(percepts) * np.float32(self._deviation) + self.mean
        return grey

    def _flatten(self, images: npt.ArrayLike) -> FloatPercepts:
        flat = np.asarray(images, dtype=np.float32)
        if flat.shape[-2:] == self.image_shape:
            flat = flat.reshape(*flat.shape[:-2], *self.percept_shape)
        if flat.shape[-1:] != self.percept_shape:
            raise ValueError(
                f"images must have shape (*, {self.percept_shape[0]}) or (*, 8, 8), but their shape is "
                f"{flat.shape}."
            )
        return flat


def _order_by_class(images: IntArray, labels: IntArray) -> IntArray:
    return images[np.argsort(labels[images], kind="stable")]
