"""From arrays to predictions in a few lines of Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from recorded_walks import lattice_walk

from tem_vae.data import Walks, as_walks, save_walks
from tem_vae.errors import ConfigurationError
from tem_vae.model import Standardizer
from tem_vae.training import FittedRun, fit, load
from tem_vae.training.run import train

# Warnings about scores that nobody can know look like errors of the user.
pytestmark = [
    pytest.mark.filterwarnings("error:.*was called before the"),
    pytest.mark.filterwarnings("error:.*Trying to infer the"),
]

SHORT = (
    "trainer.max_steps=4",
    "trainer.val_check_interval=2",
    "data.walk_length=20",
    "data.batch_size=4",
    "data.validation.walk_length=20",
    "data.test.walk_length=20",
)


def arrays(number: int = 6) -> dict[str, list[np.ndarray]]:
    walks = [lattice_walk(40, seed) for seed in range(number)]
    return {name: [walk[name] for walk in walks] for name in ("percepts", "actions", "places")}


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedRun:
    walks = as_walks(**arrays())
    return fit(walks, SHORT, tmp_path_factory.mktemp("fit") / "a 'run', of [mine]", worlds=[0, 0, 1, 1, 2, 2])


def test_it_is_a_run_like_any_other(fitted: FittedRun) -> None:
    walks = as_walks(**arrays())
    prediction = fitted.model.predict(walks.percepts, walks.actions)
    assert prediction.percepts.isfinite().all()
    assert fitted.metrics["test/revisit_accuracy"] is None  # classes are not known
    assert fitted.metrics["test/retrieval_accuracy"] is not None
    assert fitted.metrics["test/decoded_r2_at_returns"] is not None
    assert fitted.metrics["test/nearest_r2"] is None  # nor are positions
    assert fitted.config.logger.kind == "none"
    again = load(fitted.folder)
    torch.testing.assert_close(again.state_dict(), fitted.model.state_dict(), rtol=0, atol=0)
    assert again.standardizer is not None
    assert {path.name for path in fitted.folder.iterdir()} >= {"config.yaml", "metrics.json", "walks.h5"}


def test_a_folder_that_holds_a_run_is_left_alone(fitted: FittedRun) -> None:
    before = (fitted.folder / "walks.h5").read_bytes()
    with pytest.raises(ConfigurationError, match="holds a run already"):
        fit(as_walks(**arrays(3)), SHORT, fitted.folder)
    assert (fitted.folder / "walks.h5").read_bytes() == before


def test_walks_that_are_there_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "walks.h5").write_bytes(b"mine")
    with pytest.raises(ConfigurationError, match=r"walks\.h5 is there already"):
        fit(as_walks(**arrays(3)), SHORT, tmp_path)
    assert (tmp_path / "walks.h5").read_bytes() == b"mine"


def test_a_file_gives_the_same_run_as_its_walks(fitted: FittedRun, tmp_path: Path) -> None:
    again = fit(fitted.folder / "walks.h5", SHORT, tmp_path / "run")
    torch.testing.assert_close(again.model.state_dict(), fitted.model.state_dict(), rtol=0, atol=0)
    assert not (tmp_path / "run" / "walks.h5").exists()


def test_a_continued_run_keeps_the_mean_and_deviation_that_it_learned(
    fitted: FittedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(fitted.folder, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()

    def refit(self: Standardizer, batches: object) -> None:
        pytest.fail("the mean is in the checkpoint")

    monkeypatch.setattr(Standardizer, "fit", refit)
    config = fitted.config.model_copy(update={"resume": True, "run_dir": tmp_path / "run"})
    metrics = train(config, tmp_path / "run")
    assert metrics["test/elbo"] == fitted.metrics["test/elbo"]


def test_images_real_actions_and_missing_percepts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lengths = (30, 25, 40)
    images = [rng.integers(0, 256, (length, 3, 8, 9)).astype(np.uint8) for length in lengths]
    moves = [rng.normal(size=(length - 1, 2)) for length in lengths]
    options = ["data.standardize=false", "model.decoder.likelihood=continuous_bernoulli"]
    run = fit(as_walks(images, moves), [*SHORT, *options], tmp_path / "bytes")
    predicted = run.model.predict(torch.from_numpy(images[0])[None], torch.from_numpy(moves[0]).float()[None])
    assert predicted.percepts.shape == (1, 30, 3, 8, 9)
    assert ((predicted.percepts > 0) & (predicted.percepts < 1)).all()
    floats = [image / np.float32(25.5) for image in images]
    for image in floats:
        image[3] = np.nan
    run = fit(as_walks(floats, moves), SHORT, tmp_path / "floats")
    assert run.model.standardizer is not None
    assert run.model.standardizer.mean.shape == (3, 1, 1)
    assert run.metrics["test/elbo"] is not None
    for known in ("decoded_r2", "copy_r2", "reconstruction_r2"):
        assert run.metrics[f"test/{known}"] is not None
    with pytest.raises(ConfigurationError, match=r"needs the numbers of a percept to be in \[0, 1\]"):
        fit(as_walks(floats, moves), [*SHORT, *options], tmp_path / "out_of_range")
    assert not (tmp_path / "out_of_range").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer.max_step=3"], "did you mean max_steps"),
        (["data.path=elsewhere.h5"], "data.path: fit itself says what a new run is trained on"),
        (["model/encoder=convolutional"], "needs images of 8 pixels"),
        (["model/path_integration=linear"], "needs real-valued actions"),
        (
            ["model.decoder.likelihood=bernoulli"],
            "use data.standardize=false, or model",
        ),
        (["model.decoder.likelihood=bernoulli", "model.decoder.learn_noise=true"], "which has no noise"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(
    tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit(as_walks(**arrays()), [*SHORT, *overrides], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_too_few_walks(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="training, validation and test need one each"):
        fit(as_walks(**arrays(2)), SHORT, tmp_path / "run")


def test_training_from_python_claims_its_folder(fitted: FittedRun, tmp_path: Path) -> None:
    hold = "import sys, pathlib; from tem_vae.runs.claim import claimed\n"
    hold += "with claimed(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for start in (
            lambda: train(fitted.config, tmp_path),
            lambda: fit(tmp_path / "walks.h5", SHORT, tmp_path),
        ):
            with pytest.raises(ConfigurationError, match=f"is being written by process {other.pid}"):
                start()
        assert other.stdin is not None
        other.stdin.close()


def test_walks_from_lists_and_arrays() -> None:
    walks = as_walks(
        [np.zeros((3, 2)), np.ones((5, 2))], [[0, 1], [1, 1, 1, 0]], places=[[0, 1, 2], [3, 4, 5, 6, 7]]
    )
    assert walks.percepts.dtype == torch.float32
    assert walks.mask.sum(dim=1).tolist() == [3, 5]
    assert walks.places is not None
    assert walks.places[1].tolist() == [3, 4, 5, 6, 7]
    assert walks.classes is None
    assert as_walks(torch.zeros(2, 4, 3), torch.zeros(2, 3, 2)).actions.dtype == torch.float32
    with pytest.raises(ValueError, match="walk 1 has 5 percepts and 5 actions"):
        as_walks([np.zeros((3, 2)), np.ones((5, 2))], [[0, 1], [1, 1, 1, 0, 0]])
    with pytest.raises(ValueError, match="2 walks of percepts, but 1 of places"):
        as_walks([np.zeros((3, 2))] * 2, [[0, 1]] * 2, places=[[0, 1, 2]])
    assert isinstance(walks, Walks)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], []), "there is no walk"),
        ((np.zeros((5, 2)), [0, 1, 1, 0]), r"a single walk is a list of one: as_walks\(\[percepts\]"),
        (([np.zeros((5, 2))], [np.zeros(4)]), r"torch.float64 of shape \(4,\); they must be whole numbers"),
        (
            ([np.zeros((2, 5))], [[0, 1, 1, 0]]),
            r"Time is the first dimension of both: the shapes are \(2, 5\)",
        ),
        (([np.zeros((5, 2))], [[None] * 4]), "actions of walk 0 are no array of numbers"),
        (([np.zeros((2, 2)), np.zeros((2, 3))], [[0], [0]]), r"walk 1 is torch.float32 of shape \(3,\)"),
        (([np.zeros((2, 2))], [[0]], [[1]]), r"places of walk 0 are torch.int64 of shape \(1,\)"),
        (([np.zeros((2, 2))], [[0]], [[0.5, 1]]), r"must be whole numbers, \(2,\)"),
    ],
)
def test_arrays_that_are_no_walks(given: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_walks(*given)


def test_arrays_are_not_taken_for_walks(tmp_path: Path) -> None:
    percepts = [np.zeros((5, 2))]
    for take in (fit, lambda given: save_walks(tmp_path / "walks.h5", given)):
        with pytest.raises(TypeError, match=r"not a list; .*as_walks"):
            take(percepts)
    assert list(tmp_path.iterdir()) == []
