"""The wandb run of a training run. Only runs that log to wandb import this: it takes a second to load."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import wandb
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from tem_vae.config.training import TrainConfig
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.interruption import Interrupted

# The name of the update in wandb, the axis of every panel.
UPDATES = "trainer/global_step"

# Of these the summary of a run keeps the least, the greatest and the last value.
_FOLLOWED = (
    "elbo",
    "prediction",
    "metric",
    "neighborhood",
    "memory",
    "belief",
    "path_integration",
    "optimizer",
    "speed",
)
# A histogram has no least value, and a final score has but one.
_OTHERS = ("histogram", "test", "train")


@contextmanager
def open_wandb(config: TrainConfig, run_dir: Path) -> Iterator[WandbLogger]:
    """A logger to wandb; the wandb run is finished however the block is left, with its exit status."""
    exit_code = 1
    try:
        # The logger would start a run with an argument that wandb warns about.
        run = _start_run(config, run_dir) if getattr(rank_zero_only, "rank", 0) == 0 else None
        yield WandbLogger(experiment=run, save_dir=run_dir, offline=config.logger.offline)
        exit_code = 0
        if run and config.logger.artifact:
            _add_artifact(run, RunFolder(run_dir))
    except Interrupted as interrupted:
        exit_code = interrupted.exit_status
        raise
    finally:
        wandb.finish(exit_code=exit_code)


def _add_artifact(run: wandb.Run, folder: RunFolder) -> None:
    """Add the checkpoint that was tested, and its scores."""
    artifact = wandb.Artifact(f"model-{run.id}", type="model")
    for file in (folder.best, folder.metrics):
        artifact.add_file(str(file), name=file.name, policy="immutable")  # not copied: it stays as it is
    run.log_artifact(artifact, aliases=["best"])


def _start_run(config: TrainConfig, run_dir: Path) -> wandb.Run:
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
    for section in _FOLLOWED:
        run.define_metric(f"{section}/*", step_metric=UPDATES, summary="min,max,last")
    for section in _OTHERS:
        run.define_metric(f"{section}/*", step_metric=UPDATES)
    return run
