"""Sentences as percepts: a place holds a concept, and every visit says it in other words."""

import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tem_vae.arrays import FloatArray, IntArray
from tem_vae.data.source import FloatPercepts, References, Split
from tem_vae.errors import ConfigurationError

_WORDS = Path(__file__).with_name("sentences.toml")
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class _Wording(NamedTuple):
    """What sentences of one split are made of; names and attributes are lists, one for each concept."""

    openings: Sequence[str]
    frames: Sequence[str]
    names: Sequence[Sequence[str]]
    attributes: Sequence[Sequence[str]]

    def sentences(self, concept: int, rng: np.random.Generator) -> Iterator[str]:
        """Every frame with every name and attribute of a concept, each with an opening drawn at random."""
        for frame, name, attribute in product(self.frames, self.names[concept], self.attributes[concept]):
            yield f"{rng.choice(self.openings)} {frame.format(name=name, attribute=attribute)}"


class Sentences:
    """Embedded sentences: a class is a concept, and every visit shows another paraphrase of it.

    A paraphrase is an opening and a frame, which say nothing of the concept, with a name and an attribute of
    the concept put in: ``sentences.toml`` has them all. No opening, frame or attribute is in two splits, and
    no name of training is in another split, so that paraphrases of held-out walks are new in every word
    that was chosen; validation and test share names. Every concept has 192 paraphrases for training and 24
    for validation and test each.

    Sentences are embedded by wordllama (its 256 features, the mean of learned vectors of tokens, of length
    1), from files that come with it. Standardised by the training paraphrases: mean 0, and then sphered with
    shrinkage, so that no direction has much more variance than another. Otherwise directions within
    concepts would have variances up to 10, those between concepts at most 3.5, and the map was not found.

    Args:
        seed: Decides the split, and the opening of each paraphrase.

    Raises:
        ConfigurationError: wordllama is not installed.
    """

    image_shape = None
    percept_shape = (256,)

    def __init__(self, seed: int) -> None:
        embeddings = _embed(seed)
        self.n_classes = len(embeddings["train"])
        mean, sphering = _sphere(embeddings["train"].reshape(-1, *self.percept_shape))
        self._percepts: dict[Split, FloatPercepts] = {
            split: np.matmul(shown - mean, sphering, dtype=np.float32) for split, shown in embeddings.items()
        }

    @property
    def relevant_basis(self) -> FloatArray:
        """The subspace of differences between concepts: that of the means of their training paraphrases.

        Returns:
            Orthonormal columns, (256, concepts − 1). The means are centered, so they span one dimension less
            than there are concepts.
        """
        means = self._percepts["train"].mean(axis=1, dtype=np.float64)
        basis: FloatArray = np.linalg.svd(means - means.mean(axis=0))[2][: self.n_classes - 1].T
        return basis

    def sample(self, classes: IntArray, split: Split, rng: np.random.Generator) -> FloatPercepts:
        """Draw a paraphrase of each concept from the split, with replacement."""
        shown = self._percepts[split]
        percepts: FloatPercepts = shown[classes, rng.integers(shown.shape[1], size=classes.shape)]
        return percepts

    def references(self) -> References:
        """All training paraphrases."""
        train = self._percepts["train"]
        classes = np.repeat(np.arange(self.n_classes), train.shape[1])
        return References(train.reshape(-1, *self.percept_shape), classes)


def split_paraphrases(seed: int) -> dict[Split, list[list[str]]]:
    """The sentences of each split, a list for each concept.

    Args:
        seed: Decides the split, and the opening of each sentence.
    """
    rng = np.random.default_rng(seed)
    words = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    concepts = words["concepts"].values()
    openings = _divide(words["openings"], (12, 3, 3), rng)
    frames = _divide(words["frames"], (24, 6, 6), rng)
    names = [_divide(concept["names"], (2, 2), rng) for concept in concepts]
    attributes = [_divide(concept["attributes"], (4, 2, 2), rng) for concept in concepts]
    paraphrases: dict[Split, list[list[str]]] = {}
    for number, split in enumerate(_SPLITS):
        wording = _Wording(
            openings[number],
            frames[number],
            [known if split == "train" else new for known, new in names],
            [parts[number] for parts in attributes],
        )
        paraphrases[split] = [list(wording.sentences(concept, rng)) for concept in range(len(concepts))]
    return paraphrases


def _sphere(embeddings: FloatPercepts) -> tuple[FloatPercepts, FloatPercepts]:
    """The mean of embeddings, (features,), and the matrix that spheres what is left, (features, features).

    Sphering is (C + I)^(−1/2), where C is the covariance of features that were divided by their deviations;
    I keeps directions that hardly vary in training from being blown up, as new words would show. The mean
    variance is then brought to 1.
    """
    mean, deviation = embeddings.mean(axis=0), embeddings.std(axis=0)
    variance, directions = np.linalg.eigh(np.cov((embeddings - mean) / deviation, rowvar=False))
    gain = 1 / np.sqrt(np.maximum(variance, 0) + 1)
    gain /= np.sqrt((gain**2 * variance).mean())
    sphering = (directions * gain) @ directions.T / deviation[:, None]
    return mean, sphering.astype(np.float32)


def _divide(entries: Sequence[str], sizes: Sequence[int], rng: np.random.Generator) -> list[list[str]]:
    order = [entries[i] for i in rng.permutation(len(entries))]
    ends = np.cumsum(sizes)
    return [order[end - size : end] for size, end in zip(sizes, ends, strict=True)]


@lru_cache(maxsize=1)  # two seconds; a run asks for it again when it is tested
def _embed(seed: int) -> dict[Split, FloatPercepts]:
    """The embeddings of all paraphrases, (concepts, paraphrases, 256) for each split."""
    try:
        import wordllama
    except ImportError:
        raise ConfigurationError(
            "data.percepts: sentences need wordllama, which is not installed; install it with: "
            "pip install 'tem_vae[text]'"
        ) from None
    # The files beside the package; by default it looks elsewhere, and then asks the network.
    model = wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
    embeddings: dict[Split, FloatPercepts] = {}
    for split, concepts in split_paraphrases(seed).items():
        flat = model.embed([sentence for concept in concepts for sentence in concept], norm=True)
        embeddings[split] = np.asarray(flat, np.float32).reshape(len(concepts), -1, flat.shape[-1])
    return embeddings
