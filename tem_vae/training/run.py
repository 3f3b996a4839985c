"""Training as a function of a checked configuration."""

import logging
import sys
from pathlib import Path

import lightning as L
import torch
import yaml
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.tester import build_scores, score
from tem_vae.evaluation.trained import load_run, read_checkpoint
from tem_vae.runs.files import write_whole
from tem_vae.runs.interruption import interruption
from tem_vae.runs.metrics import Metrics, read_metrics, write_metrics
from tem_vae.runs.terminal import quiet_lightning
from tem_vae.scores.prediction import MODEL
from tem_vae.training.callbacks.build import build_callbacks
from tem_vae.training.callbacks.checkpoints import AtomicCheckpointIO
from tem_vae.training.callbacks.clock import TrainingClock
from tem_vae.training.datamodule import WalkDataModule, build_data
from tem_vae.training.devices import check_devices
from tem_vae.training.loggers import check_account, open_loggers
from tem_vae.training.module import TemVaeModule

_log = logging.getLogger(__name__)


def train(config: TrainConfig, run_dir: Path) -> Metrics:
    """Train a model and test its best checkpoint; everything is written to ``run_dir``.

    Returns:
        What ``metrics.json`` holds.

    Raises:
        ConfigurationError: ``run_dir`` holds a run already, and ``resume`` is false; or the machine lacks the
            accelerator, or the key that logging online needs.
        CheckpointError: ``resume`` is true and the last checkpoint is damaged.
    """
    checkpoints = run_dir / "checkpoints"
    if checkpoints.exists() and not config.resume:
        raise ConfigurationError(
            f"run_dir = {run_dir} holds a run already; continue it with resume=true, or name another run_dir"
        )
    if config.resume and (finished := read_metrics(run_dir)):
        _log.info("the run in %s was finished before; nothing is left to do", run_dir)
        return finished
    check_devices(config.trainer)
    check_account(config.logger)
    last = last_checkpoint(config, run_dir)
    first_update = read_checkpoint(last)["global_step"] if last else 0
    _announce(config, run_dir, first_update)
    quiet_lightning()
    torch.set_num_threads(config.trainer.threads)
    L.seed_everything(config.seed, workers=True, verbose=False)
    run_dir.mkdir(parents=True, exist_ok=True)
    write_whole(run_dir / "config.yaml", yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False))
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    model = build_model(config.model, data.train.percept_shape, len(data.train.actions))
    scores = build_scores(data.train, MODEL)
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
        metrics = score(load_run(run_dir), data.test, trainer) | describe_training(data, clock, trainer)
        for logger in loggers:
            logger.log_metrics({k: v for k, v in metrics.items() if v is not None}, trainer.global_step)
    if trainer.is_global_zero:
        write_metrics(metrics, run_dir)
    return metrics


def last_checkpoint(config: TrainConfig, run_dir: Path) -> Path | None:
    """The checkpoint to continue from; None where there is none yet, or where the run is a new one."""
    path = run_dir / "checkpoints" / "last.ckpt"
    if not config.resume:
        return None
    if not path.exists():
        _log.warning("%s holds no checkpoint to continue from; the run starts at its beginning", run_dir)
        return None
    return path


def _announce(config: TrainConfig, run_dir: Path, first_update: int) -> None:
    trainer = config.trainer
    begins = f"continues after update {first_update:,}" if first_update else "begins"
    what = f"{trainer.max_steps:,} updates on {trainer.accelerator}, seed {config.seed}"
    _log.info("training %s: %s, written to %s", begins, what, run_dir)


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
