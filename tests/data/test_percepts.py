import re
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tem_vae.data import Digits, Sentences, Symbols
from tem_vae.data.percepts import sentences
from tem_vae.data.percepts.sentences import split_paraphrases
from tem_vae.errors import ConfigurationError


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits(seed=0)


def test_no_image_is_in_two_splits(digits: Digits) -> None:
    rng = np.random.default_rng(0)
    shown = {
        split: {row.tobytes() for row in digits.sample(rng.integers(10, size=20_000), split, rng)}
        for split in ("train", "validation", "test")
    }
    assert len(shown["test"]) > 290
    assert not shown["train"] & shown["test"]
    assert not shown["train"] & shown["validation"]
    assert not shown["validation"] & shown["test"]


def test_an_image_of_the_class_asked_for_is_shown(digits: Digits) -> None:
    rng = np.random.default_rng(1)
    references = digits.references()
    by_image = {p.tobytes(): c for p, c in zip(references.percepts, references.classes, strict=True)}
    classes = rng.integers(10, size=(7, 50))
    percepts = digits.sample(classes, "train", rng)
    assert percepts.shape == (7, 50, 64)
    shown = [by_image[p.tobytes()] for p in percepts.reshape(-1, 64)]
    np.testing.assert_array_equal(shown, classes.ravel())


def test_digits_are_standardised_by_the_training_mean(digits: Digits) -> None:
    percepts = digits.references().percepts
    np.testing.assert_allclose(percepts.mean(axis=0), 0, atol=1e-5)
    assert 0.8 < percepts.std() < 1.1
    grey = digits.to_unit_range(percepts)
    assert grey.min() > -1e-5
    assert grey.max() < 1 + 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(64,), (8, 8), (3, 64), (2, 3, 8, 8)])
def test_images_of_ones_own_are_standardised_in_float32(
    digits: Digits, shape: tuple[int, ...], dtype: type[np.floating]
) -> None:
    grey = np.random.default_rng(3).random(shape).astype(dtype)
    percepts = digits.from_unit_range(grey)
    assert percepts.dtype == np.float32
    batch = shape[:-1] if shape[-1] == 64 else shape[:-2]
    assert percepts.shape == (*batch, 64)
    np.testing.assert_allclose(percepts, (grey.reshape(*batch, 64) - digits.mean) / 0.3, atol=1e-5)
    back = digits.to_unit_range(percepts.reshape(shape).astype(dtype))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, grey.reshape(*batch, 64), atol=1e-6)


def test_images_put_in_are_the_percepts_of_training(digits: Digits) -> None:
    images = load_digits(return_X_y=True)[0] / 16
    given = {percept.tobytes() for percept in digits.from_unit_range(images)}
    assert given >= {percept.tobytes() for percept in digits.references().percepts}


@pytest.mark.parametrize(
    ("value", "lowest", "highest"), [(16, "0", "16"), (-0.5, "-0.5", "0"), (np.nan,) * 3]
)
def test_grey_levels_out_of_range_are_refused(
    digits: Digits, value: float, lowest: str, highest: str
) -> None:
    grey = np.zeros((2, 64))
    grey[1, 5] = value
    said = rf"in \[0, 1\], but these range from {lowest} to {highest}; divide scikit-learn's digits by 16"
    with pytest.raises(ValueError, match=said):
        digits.from_unit_range(grey)


@pytest.mark.parametrize("shape", [(), (8,), (63,), (8, 9), (64, 2)])
def test_images_of_another_shape_are_refused(digits: Digits, shape: tuple[int, ...]) -> None:
    for convert in (digits.from_unit_range, digits.to_unit_range):
        with pytest.raises(ValueError, match=rf"\(\*, 64\) or \(\*, 8, 8\).*is {re.escape(str(shape))}"):
            convert(np.zeros(shape))


def test_symbols_keep_prototypes_and_nuisance_apart() -> None:
    symbols = Symbols(n_classes=5, percept_dim=20, relevant_dim=3, seed=0)
    rng = np.random.default_rng(2)
    percepts = symbols.sample(np.full(4000, 2), "train", rng)
    relevant = percepts @ symbols.relevant_basis
    np.testing.assert_allclose(relevant, np.broadcast_to(relevant[0], relevant.shape), atol=1e-5)
    nuisance = percepts - relevant @ symbols.relevant_basis.T
    # Variance 1 in 17 dimensions: the mean of 4,000 sums of squares has deviation sqrt(2 * 17 / 4000).
    assert abs((nuisance**2).sum(axis=1).mean() - 17) < 5 * np.sqrt(2 * 17 / 4000)


def test_symbols_refuse_a_subspace_larger_than_the_space() -> None:
    with pytest.raises(ValueError, match="relevant_dim must be between 1 and percept_dim = 4, got 5"):
        Symbols(n_classes=3, percept_dim=4, relevant_dim=5, seed=0)


@pytest.fixture(scope="module")
def spoken() -> Sentences:
    return Sentences(seed=0)


def test_no_paraphrase_and_no_part_of_one_is_in_training_and_in_another_split() -> None:
    splits = split_paraphrases(seed=1)
    said = {split: {line for concept in splits[split] for line in concept} for split in splits}
    assert [len(concept) for concept in splits["train"]] == [192] * 45
    assert [len(concept) for concept in splits["test"]] == [24] * 45
    openings = {split: {line.split(",")[0] for line in said[split]} for split in said}
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        assert not said[one] & said[other]
        assert not openings[one] & openings[other]
    # What follows the opening is the frame, which two words tell from most others.
    frames = {split: {" ".join(line.split(",", 1)[1].split()[:2]) for line in said[split]} for split in said}
    assert not frames["train"] & frames["test"]


def test_another_seed_splits_paraphrases_in_another_way() -> None:
    first, second = split_paraphrases(seed=0), split_paraphrases(seed=1)
    assert first == split_paraphrases(seed=0)
    assert all(first[split] != second[split] for split in first)


def test_a_paraphrase_of_the_concept_asked_for_is_shown(spoken: Sentences) -> None:
    rng = np.random.default_rng(4)
    percepts, classes = spoken.references()
    concept_of = {p.tobytes(): c for p, c in zip(percepts, classes, strict=True)}
    wanted = rng.integers(45, size=(3, 40))
    shown = spoken.sample(wanted, "train", rng)
    assert shown.shape == (3, 40, 256)
    assert shown.dtype == np.float32
    assert [concept_of[p.tobytes()] for p in shown.reshape(-1, 256)] == wanted.ravel().tolist()
    held_out = spoken.sample(wanted, "test", rng).reshape(-1, 256)
    assert not any(p.tobytes() in concept_of for p in held_out)


def test_embeddings_are_standardised_by_training_and_no_direction_stands_out(spoken: Sentences) -> None:
    percepts = spoken.references().percepts
    np.testing.assert_allclose(percepts.mean(axis=0), 0, atol=1e-4)
    assert percepts.var() == pytest.approx(1, abs=1e-3)
    assert np.linalg.eigvalsh(np.cov(percepts, rowvar=False)).max() < 4  # 10 of features merely scaled


def test_concepts_lie_in_the_relevant_subspace_and_differ_there_in_new_words(spoken: Sentences) -> None:
    basis = spoken.relevant_basis
    np.testing.assert_allclose(basis.T @ basis, np.eye(44), atol=1e-8)
    percepts, _ = spoken.references()
    means = percepts.reshape(45, -1, 256).mean(axis=1, dtype=np.float64)
    np.testing.assert_allclose(means @ basis @ basis.T, means, atol=1e-4)
    rng = np.random.default_rng(5)
    concepts = np.arange(45).repeat(200)
    new = spoken.sample(concepts, "test", rng) @ basis
    named = (new @ (means @ basis).T - ((means @ basis) ** 2).sum(axis=1) / 2).argmax(axis=1)
    assert (named == concepts).mean() > 0.4  # by chance 0.02


def test_without_wordllama_sentences_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences._embed.cache_clear()
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'tem_vae\[text\]'"):
        Sentences(seed=0)
