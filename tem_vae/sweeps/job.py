"""One job of a sweep: where it writes, what it continues, what it returns."""

import shutil
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from tem_vae.config.training import TrainConfig
from tem_vae.sweeps.jobs import validation_scores


def place_job(composed: DictConfig) -> DictConfig:
    """The configuration with the directory of the job and its sweep's wandb group; as it was in a single run.

    ``resume`` stays true only where the job left something to continue.
    """
    hydra = HydraConfig.get()
    if OmegaConf.is_missing(hydra.job, "num"):
        return composed
    run_dir = Path(hydra.runtime.output_dir)
    resume = composed.resume and (run_dir / "checkpoints" / "last.ckpt").exists()
    if composed.resume and not resume:
        # Cut off before its first checkpoint was whole: there is nothing to keep.
        shutil.rmtree(run_dir / "checkpoints", ignore_errors=True)
    placed = composed.copy()
    placed.run_dir = str(run_dir)
    placed.resume = resume
    placed.logger.group = composed.logger.group or run_dir.parent.name
    return placed


def objective_value(config: TrainConfig, run_dir: Path) -> float | None:
    """The validation score that a sweeper optimises, at the run's best checkpoint; None if it has none."""
    return validation_scores(run_dir).get(config.objective)
