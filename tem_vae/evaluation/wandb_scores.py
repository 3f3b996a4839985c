"""The scores of an evaluation as a wandb run."""

from pathlib import Path

from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.runs.folder import Metrics


def log_scores(config: EvaluateConfig, checkpoint: Path, metrics: Metrics, folder: Path) -> None:
    """Write the scores of one checkpoint to the summary of a wandb run of their own.

    Args:
        config: The evaluation.
        checkpoint: What was scored.
        metrics: The scores; those with nothing to score are left out.
        folder: Where ``metrics.json`` is; its name is that of the wandb run.
    """
    # It takes a second to load, and only who asks for it needs it.
    import wandb

    logger = config.logger
    with wandb.init(
        project=logger.project,
        dir=folder,
        mode="offline" if logger.offline else "online",
        name=folder.name,
        group=logger.group,
        tags=logger.tags,
        job_type="evaluate",
        config=config.model_dump(mode="json") | {"checkpoint": str(checkpoint)},
        settings=wandb.Settings(silent=True),
    ) as run:
        run.summary.update({name: score for name, score in metrics.items() if score is not None})
