"""Training as a function of a checked configuration."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.config.wandb_account import check_account
from tem_vae.data import WalkSource
from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.evaluation.checkpoint import read_checkpoint
from tem_vae.evaluation.tester import build_scores, score
from tem_vae.evaluation.trained import load_run
from tem_vae.model import GaussianLikelihood, TemVae
from tem_vae.runs.allocation import keep_freed_memory
from tem_vae.runs.claim import held_or_claimed
from tem_vae.runs.folder import Metrics, RunFolder
from tem_vae.runs.interruption import interruption
from tem_vae.runs.presence import present
from tem_vae.runs.terminal import alone, draws_bars, quiet_lightning
from tem_vae.scores.prediction import MODEL
from tem_vae.training.callbacks.build import build_callbacks
from tem_vae.training.callbacks.checkpoints import AtomicCheckpointIO, relocate_checkpoints
from tem_vae.training.callbacks.clock import TrainingClock
from tem_vae.training.datamodule import WalkDataModule, build_data
from tem_vae.training.devices import check_devices
from tem_vae.training.loggers import open_loggers
from tem_vae.training.module import TemVaeModule
from tem_vae.training.optimizer import build_optimizer, continues

_log = logging.getLogger(__name__)


def train(config: TrainConfig, run_dir: Path) -> Metrics:
    """Train a model and test its best checkpoint; everything is written to ``run_dir``.

    Until it ends no other process may write there.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        ConfigurationError: ``run_dir`` holds a run already, and ``resume`` is false; or another process
            writes to it; or the machine lacks the accelerator, or the key that logging online needs; or
            percepts are none that the model can have.
        CheckpointError: ``resume`` is true and the last checkpoint is damaged, or of a version with another
            optimiser.
        FolderGoneError: ``run_dir`` was removed or moved meanwhile.
    """
    folder = RunFolder(run_dir)
    if config.resume and (finished := folder.read_metrics()):
        _log.info("the run in %s was finished before; nothing is left to do", run_dir)
        return finished
    # A run that cannot begin leaves no folder.
    check_devices(config.trainer)
    if config.logger.kind == "wandb" and not config.logger.offline:
        check_account()
    with held_or_claimed(run_dir, config.trainer.devices):
        return _train(config, folder)


def _train(config: TrainConfig, folder: RunFolder) -> Metrics:
    run_dir = folder.path
    if folder.holds_run and not config.resume:
        raise ConfigurationError(
            f"run_dir = {run_dir} holds a run already; continue it with resume=true, or name another run_dir"
        )
    resumed = _read_last_checkpoint(folder, config.plugins) if config.resume else None
    first_update = resumed["global_step"] if resumed else 0
    _announce(config, run_dir, first_update)
    for doubt in [] if resumed else config.data.doubts():
        _log.warning("%s", doubt)
    quiet_lightning()
    torch.set_num_threads(config.trainer.threads)
    keep_freed_memory()
    L.seed_everything(config.seed, workers=True, verbose=False)
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    model = build_model(config.model, config.data.walk_shape)
    if resumed:
        _check_optimizer(resumed, folder, model, config)
    else:
        prepare_percepts(model, data.train)
    run_dir.mkdir(parents=True, exist_ok=True)
    folder.write_config(config.model_dump(mode="json"))
    scores = build_scores(data.train, MODEL)
    module = TemVaeModule(model, config.optimizer, scores, config.seed, config.trainer.log_every_n_steps)
    clock = TrainingClock()
    with present(run_dir) as presence, open_loggers(config, folder, first_update) as loggers:
        callbacks = build_callbacks(config, folder, clock, data.train)
        trainer = build_trainer(config, callbacks, loggers, AtomicCheckpointIO(presence, resumed))
        with interruption.deferral():
            trainer.fit(module, data, ckpt_path=folder.last if resumed else None, weights_only=True)
            _save_the_end(trainer, folder)
        metrics = score(load_run(run_dir, config.plugins), data.test, trainer) | describe_training(
            data, clock, trainer
        )
        for logger in loggers:
            logger.log_metrics({k: v for k, v in metrics.items() if v is not None}, trainer.global_step)
        if trainer.is_global_zero:
            folder.write_metrics(metrics)
    return metrics


def prepare_percepts(model: TemVae, walks: WalkSource) -> None:
    """Learn mean and deviation of the training percepts, and see that all of them have a density.

    Raises:
        ConfigurationError: One has none, or there is no percept.
    """
    try:
        if model.standardizer:
            model.standardizer.fit(walks.every_percept())
        if not isinstance(model.decoder.likelihood, GaussianLikelihood):
            for percepts in walks.every_percept():
                model.decoder.likelihood.check_values(percepts)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _save_the_end(trainer: L.Trainer, folder: RunFolder) -> None:
    """Save the trained run; its end is the best checkpoint too where there was no validation."""
    for logger in trainer.loggers:
        logger.save()
    trainer.save_checkpoint(folder.last)
    if not folder.best.exists():
        trainer.save_checkpoint(folder.best)


def _read_last_checkpoint(folder: RunFolder, plugins: Sequence[str]) -> dict[str, Any] | None:
    """The contents of the checkpoint to continue from; None where there is none yet."""
    if not folder.last.exists():
        _log.warning("%s holds no checkpoint to continue from; the run starts at its beginning", folder.path)
        return None
    contents = read_checkpoint(folder.last, plugins).contents
    relocate_checkpoints(contents, folder.checkpoints)
    return contents


def _check_optimizer(contents: dict[str, Any], folder: RunFolder, model: TemVae, config: TrainConfig) -> None:
    """Check that the optimiser of this version can go on from a checkpoint."""
    optimizer, _ = build_optimizer(model, config.optimizer, config.trainer.max_steps)
    if not all(continues(saved, optimizer) for saved in contents["optimizer_states"]):
        raise CheckpointError(
            f"{folder.last} is of a version of tem_vae that updated other parameters together, and cannot be "
            "continued; begin anew with another run_dir, or use that version"
        )


def _announce(config: TrainConfig, run_dir: Path, first_update: int) -> None:
    trainer = config.trainer
    begins = f"continues after update {first_update:,}" if first_update else "begins"
    what = f"{trainer.max_steps:,} updates on {trainer.accelerator}, seed {config.seed}"
    _log.info("training %s: %s, written to %s", begins, what, run_dir)


def build_trainer(
    config: TrainConfig,
    callbacks: list[Callback],
    loggers: list[Logger],
    checkpoint_io: AtomicCheckpointIO | None = None,
) -> L.Trainer:
    """Lightning's trainer. One epoch is the whole run: training batches never end and never repeat.

    Args:
        config: The configuration.
        callbacks: What it calls.
        loggers: Where it logs.
        checkpoint_io: Writes checkpoints; None where none are written.
    """
    trainer = config.trainer
    plugins: list[Any] = [checkpoint_io] if checkpoint_io else []
    if trainer.devices == 1:
        plugins.append(alone())
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
        plugins=plugins,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=draws_bars(),
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
