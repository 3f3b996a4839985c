"""Walks whose real-valued actions are noisy: trained on, and evaluated with doubts and without."""

from pathlib import Path

import pytest
from composed import compose_evaluation
from hydra import compose, initialize_config_dir
from recorded_walks import like_a_rat, recorded

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.doubts import apply_doubts
from tem_vae.evaluation.run import evaluate
from tem_vae.evaluation.trained import load_run
from tem_vae.training.run import train

SMALL = (
    "experiment=rat",
    "logger=none",
    "data.walk_length=20",
    "data.batch_size=4",
    "data.validation.walk_length=20",
    "data.test.walk_length=30",
    "data.test.walks=4",
    "optimizer.warmup_updates=3",
    "trainer.max_steps=8",
    "trainer.val_check_interval=8",
    "trainer.checkpoint_interval=8",
)


def configured(path: Path, *overrides: str) -> TrainConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=[*SMALL, f"data.path={path}", *overrides]), TrainConfig)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with doubts on noisy walks."""
    folder = tmp_path_factory.mktemp("noisy")
    like_a_rat(folder / "rat.h5")
    noisy = ("data.motion_noise=0.01", "optimizer.belief_from=0.5")
    belief = ("model.belief.hypotheses=3", "model.belief.motion_noise=0.02", "model.belief.samples=2")
    run_dir = folder / "run"
    train(configured(folder / "rat.h5", *noisy, *belief, f"run_dir={run_dir}"), run_dir)
    return run_dir


def test_the_noise_is_learned_and_kept(run: Path) -> None:
    belief = load_run(run).model.belief
    assert belief is not None
    noise = belief.scalars()["belief/motion_noise"].item()
    assert noise != pytest.approx(0.02, rel=1e-6)
    assert noise > 0


@pytest.mark.parametrize("doubts", [(), ("belief.hypotheses=1",), ("belief.motion_noise=0.03",)])
def test_it_is_evaluated_with_doubts_and_without(run: Path, doubts: tuple[str, ...], tmp_path: Path) -> None:
    overrides = ("data.motion_noise=0.03", *doubts)
    (scores,) = evaluate(compose_evaluation(f"checkpoint={run}", *overrides), tmp_path).values()
    assert scores["test/decoded_r2"] is not None
    assert ("test/belief_evidence" in scores) == (doubts != ("belief.hypotheses=1",))
    assert scores.get("test/slip_auroc") is None


def test_noise_is_estimated_for_a_model_without_doubts(run: Path, tmp_path: Path) -> None:
    trained = load_run(run)
    trained.model.belief = None
    config = compose_evaluation(f"checkpoint={run}", "belief.hypotheses=4")
    walks = trained.config.data.build().test
    apply_doubts(trained, config.belief, walks)
    assert trained.model.belief is not None
    assert 0 < trained.model.belief.scalars()["belief/motion_noise"].item() < 1


def test_numbered_actions_have_no_such_noise(tmp_path: Path) -> None:
    path = recorded(tmp_path / "walks.h5", walks=8)
    with pytest.raises(ConfigurationError, match="added to real-valued actions"):
        configured(path, "data.motion_noise=0.1", "model/path_integration=rotations")
