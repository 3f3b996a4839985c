"""Training and evaluation as functions of a checked configuration."""

import json
import logging
import math
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from tem_vae.data import HeldOutWalks, MomentumPolicy, PerceptSource, WalkDataModule
from tem_vae.data.worlds import ActionMismatchError, check_actions
from tem_vae.evaluation.classifier import NearestPercept
from tem_vae.evaluation.scores import AGENTS, MODEL, UNTRAINED, PredictionScores
from tem_vae.training.build import build_data, build_held_out, build_model
from tem_vae.training.callbacks import TrainingClock, build_callbacks, progress_bar
from tem_vae.training.checkpoint import TrainedRun, load_run, read_checkpoint
from tem_vae.training.checkpoint_io import AtomicCheckpointIO
from tem_vae.training.config import (
    DataConfig,
    EvaluateConfig,
    EvaluationDataConfig,
    HeldOutConfig,
    TrainConfig,
)
from tem_vae.training.errors import ConfigurationError
from tem_vae.training.files import write_whole
from tem_vae.training.html_report import write_report
from tem_vae.training.interruption import interruption
from tem_vae.training.loggers import open_loggers
from tem_vae.training.module import TemVaeModule
from tem_vae.training.resume import last_checkpoint
from tem_vae.training.schema import check
from tem_vae.training.tester import Tester

Metrics = dict[str, float | int | None]


def train(config: TrainConfig, run_dir: Path) -> Metrics:
    """Train a model and test its best checkpoint; everything is written to ``run_dir``.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        ConfigurationError: ``run_dir`` holds a run already, and ``resume`` is false.
        CheckpointError: ``resume`` is true and the last checkpoint is damaged.
    """
    checkpoints = run_dir / "checkpoints"
    if checkpoints.exists() and not config.resume:
        raise ConfigurationError(
            f"run_dir = {run_dir} holds a run already; continue it with resume=true, or name another run_dir"
        )
    if config.resume and (finished := read_metrics(run_dir)):
        return finished
    last = last_checkpoint(config, run_dir)
    first_update = read_checkpoint(last)["global_step"] if last else 0
    _quiet_lightning()
    torch.set_num_threads(config.trainer.threads)
    L.seed_everything(config.seed, workers=True, verbose=False)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_whole(run_dir / "config.yaml", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    percepts = data.train.percepts
    model = build_model(config.model, percepts, len(data.train.worlds.actions))
    scores = build_scores(percepts, MODEL)
    module = TemVaeModule(model, config.optimizer, scores, config.seed, config.trainer.log_every_n_steps)
    clock = TrainingClock()
    with open_loggers(config, run_dir, first_update) as loggers:
        trainer = build_trainer(config, build_callbacks(config, run_dir, clock, data.train), loggers)
        with interruption.deferral():
            trainer.fit(module, data, ckpt_path=last, weights_only=True)
            for logger in loggers:
                logger.save()
            trainer.save_checkpoint(checkpoints / "last.ckpt")
            if not (checkpoints / "best.ckpt").exists():
                trainer.save_checkpoint(checkpoints / "best.ckpt")
        metrics = test(load_run(run_dir), data.test, trainer) | describe_training(data, clock, trainer)
        for logger in loggers:
            logger.log_metrics({k: v for k, v in metrics.items() if v is not None}, trainer.global_step)
    if trainer.is_global_zero:
        write_metrics(metrics, run_dir)
    return metrics


def evaluate(config: EvaluateConfig, run_dir: Path) -> Metrics:
    """Score a trained model in other worlds; ``metrics.json`` is written to ``run_dir``.

    With ``report`` its figures too, in ``report/index.html``.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        CheckpointError: There is no checkpoint of this program at ``config.checkpoint``.
    """
    _quiet_lightning()
    torch.set_num_threads(config.threads)
    run = load_run(config.checkpoint)
    held_out = override_held_out(run.config.data, config.data)
    policy = MomentumPolicy(run.config.data.momentum)
    walks = build_held_out(held_out, run.percepts, policy, "test", run.actions)
    trainer = L.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=progress_bar(),
        enable_progress_bar=sys.stdout.isatty(),
        default_root_dir=run_dir,
    )
    metrics = test(run, walks, trainer)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_metrics(metrics, run_dir)
    if config.report:
        write_report(run, config.checkpoint, walks, metrics, run_dir / "report")
    return metrics


def override_held_out(trained_on: DataConfig, config: EvaluationDataConfig) -> HeldOutConfig:
    """What the run was tested on, with whatever the evaluation says differently.

    Raises:
        ConfigurationError: The result is no valid configuration, or its worlds have actions that the run was
            not trained with.
    """
    tested_on = trained_on.test
    changes = config.model_dump(exclude_none=True, exclude={"world"})
    world = {"world": config.world.override(tested_on.world)}
    held_out = check(tested_on.model_dump() | changes | world, HeldOutConfig)
    try:
        check_actions(held_out.world.actions, known=trained_on.world.actions)
    except ActionMismatchError as error:
        raise ConfigurationError(f"data.world: {error}") from None
    return held_out


def test(run: TrainedRun, walks: HeldOutWalks, trainer: L.Trainer) -> Metrics:
    """The ``test/`` scores of a trained model on held-out walks; None where there was nothing to score."""
    with torch.random.fork_rng():
        torch.manual_seed(run.config.seed)
        untrained = build_model(run.config.model, run.percepts, len(walks.source.worlds.actions))
    scores = build_scores(run.percepts, (*MODEL, *AGENTS, UNTRAINED))
    tester = Tester(run.model, untrained.eval(), scores, run.percepts, walks.seed)
    trainer.test(tester, walks.loader(trainer.global_rank, trainer.world_size), verbose=False)
    return {name: None if math.isnan(score) else score for name, score in tester.results.items()}


def build_scores(percepts: PerceptSource, predictors: Iterable[str]) -> PredictionScores:
    """Scores of the predictors named, whose classifier knows the source's references."""
    references = percepts.references()
    classifier = NearestPercept(torch.from_numpy(references.percepts), torch.from_numpy(references.classes))
    return PredictionScores(percepts.n_classes, classifier, predictors)


def build_trainer(config: TrainConfig, callbacks: list[Callback], loggers: list[Logger]) -> L.Trainer:
    """Lightning's trainer. One epoch is the whole run: training batches never end and never repeat."""
    trainer = config.trainer
    return L.Trainer(
        max_steps=trainer.max_steps,
        limit_train_batches=max(1, trainer.max_steps),
        val_check_interval=min(trainer.val_check_interval, max(1, trainer.max_steps)),
        check_val_every_n_epoch=None,
        accelerator=trainer.accelerator,
        devices=trainer.devices,
        precision=trainer.precision,
        gradient_clip_val=trainer.gradient_clip_val,
        log_every_n_steps=trainer.log_every_n_steps,
        num_sanity_val_steps=0,
        callbacks=callbacks,
        logger=loggers,
        plugins=[AtomicCheckpointIO()],
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stdout.isatty(),
    )


def describe_training(data: WalkDataModule, clock: TrainingClock, trainer: L.Trainer) -> Metrics:
    """The ``train/`` entries of ``metrics.json``."""
    updates = trainer.global_step
    walk_steps = data.walk_steps(updates) * trainer.world_size
    return {
        "train/seconds": clock.seconds,
        "train/steps_per_second": walk_steps / clock.seconds if clock.seconds > 0 else None,
        "train/updates": updates,
    }


def read_metrics(run_dir: Path) -> Metrics | None:
    """What ``metrics.json`` holds; None where the run is not finished."""
    path = run_dir / "metrics.json"
    if not path.exists():
        return None
    metrics: Metrics = json.loads(path.read_text(encoding="utf-8"))
    return metrics


def write_metrics(metrics: Metrics, run_dir: Path) -> None:
    """Write ``metrics.json``."""
    write_whole(run_dir / "metrics.json", json.dumps(metrics, indent=2, allow_nan=False) + "\n")


def _quiet_lightning() -> None:
    """Silence what a user can do nothing about."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
    warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
