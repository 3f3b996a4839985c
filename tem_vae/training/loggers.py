"""Where the scalars of a run go."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import wandb
from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from tem_vae.config.training import LoggerConfig, TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.runs.interruption import Interrupted
from tem_vae.training.history import HistoryLogger

# The axis of every panel, and the sections of what is logged.
UPDATES = "trainer/global_step"
SECTIONS = (
    "elbo",
    "prediction",
    "metric",
    "neighborhood",
    "memory",
    "path_integration",
    "optimizer",
    "speed",
)


def check_account(config: LoggerConfig) -> None:
    """Logging online needs a key of wandb.

    Raises:
        ConfigurationError: There is none.
    """
    if config.kind == "wandb" and not config.offline and not wandb.login(prompt=False):
        raise ConfigurationError(
            "logger.offline = false: logging online needs a wandb key, and none was found; run `wandb login` "
            "or set WANDB_API_KEY, or leave it out and upload later with `wandb sync`"
        )


@contextmanager
def open_loggers(config: TrainConfig, run_dir: Path, first_update: int) -> Iterator[list[Logger]]:
    """The loggers of a run; a wandb run is finished however the block is left, with its exit status.

    Args:
        config: The configuration.
        run_dir: Where they write.
        first_update: The update from which the run continues, 0 for a new one.
    """
    loggers: list[Logger] = [HistoryLogger(run_dir / "history.csv", first_update)]
    if config.logger.kind == "csv":
        loggers.append(CSVLogger(run_dir, name="csv", version=""))
    if config.logger.kind == "wandb":
        loggers.append(_open_wandb(config, run_dir))
    exit_code = 1
    try:
        yield loggers
        exit_code = 0
    except Interrupted as interrupted:
        exit_code = interrupted.exit_status
        raise
    finally:
        wandb.finish(exit_code=exit_code)


def _open_wandb(config: TrainConfig, run_dir: Path) -> WandbLogger:
    # The logger would start a run with an argument that wandb warns about.
    run = _start_wandb(config, run_dir) if getattr(rank_zero_only, "rank", 0) == 0 else None
    return WandbLogger(experiment=run, save_dir=run_dir, offline=config.logger.offline)


def _start_wandb(config: TrainConfig, run_dir: Path) -> wandb.Run:
    run = wandb.init(
        project=config.logger.project,
        dir=run_dir,
        mode="offline" if config.logger.offline else "online",
        name=run_dir.name,
        group=config.logger.group,
        tags=config.logger.tags,
        job_type="train",
        config=config.model_dump(mode="json"),
        settings=wandb.Settings(silent=True),
    )
    for section in SECTIONS:
        run.define_metric(f"{section}/*", step_metric=UPDATES, summary="min,max,last")
    # A histogram has no least value, and a final score has but one.
    for section in ("histogram", "test", "train"):
        run.define_metric(f"{section}/*", step_metric=UPDATES)
    return run
