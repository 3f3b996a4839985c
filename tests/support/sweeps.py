"""Sweeps for tests: written by hand as training would have left them, and overrides for tiny real ones."""

import json
from pathlib import Path

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
    metrics: dict[str, float | None] | None,
    validated: tuple[tuple[float, float], ...] = ((-80.0, 0.5),),
) -> Path:
    """A job with its overrides and, if it finished, its metrics.

    ``validated`` holds the bound and the zero-shot accuracy of each validation.
    """
    job = sweep_dir / str(number)
    (job / ".hydra").mkdir(parents=True)
    (job / ".hydra" / "overrides.yaml").write_text("".join(f"- {k}={v}\n" for k, v in overrides.items()))
    if metrics is not None:
        (job / "metrics.json").write_text(json.dumps(metrics))
        lines = ["update,elbo/elbo,elbo/validation_elbo,prediction/zero_shot_accuracy", "9,-90.0,,"]
        lines += [f"{20 + i},,{bound},{accuracy}" for i, (bound, accuracy) in enumerate(validated)]
        (job / "history.csv").write_text("\n".join(lines) + "\n")
    return job
