import numpy as np
import pytest

from tem_vae.data import Digits, Symbols


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
