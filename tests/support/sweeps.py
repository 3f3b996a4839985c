"""Sweeps for tests: written by hand as training would have left them, and overrides for tiny real ones."""

from pathlib import Path

from tem_vae.runs.folder import Metrics, RunFolder
from tem_vae.runs.history import write_history

REPOSITORY = Path(__file__).parents[2]
TINY = [
    "trainer.max_steps=2",
    "trainer.val_check_interval=1",
    "data.walk_length=20",
    "data.batch_size=2",
    "data.validation.walks=1",
    "data.validation.walk_length=50",
    "data.test.walks=1",
    "data.test.walk_length=50",
    "logger=none",
]


def write_job(
    sweep_dir: Path,
    number: int,
    overrides: dict[str, object],
    metrics: Metrics | None,
    validated: tuple[tuple[float, float], ...] = ((-80.0, 0.5),),
) -> Path:
    """A job with its overrides and, if it finished, its metrics.

    ``validated`` holds the bound and the zero-shot accuracy of each validation.
    """
    job = RunFolder(sweep_dir / str(number))
    job.overrides.parent.mkdir(parents=True)
    job.overrides.write_text("".join(f"- {k}={v}\n" for k, v in overrides.items()))
    if metrics is not None:
        job.write_metrics(metrics)
        history = {9: {"elbo/elbo": -90.0}}
        history |= {
            20 + i: {"elbo/validation_elbo": bound, "prediction/zero_shot_accuracy": accuracy}
            for i, (bound, accuracy) in enumerate(validated)
        }
        write_history(job.history, history)
    return job.path
