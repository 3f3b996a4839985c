"""Train a TEM VAE: ``python scripts/train.py [overrides]``; ``--help`` lists what can be overridden.

``-m`` makes a sweep of overrides with several values, one job for every combination.
"""

import sys

from hydra.core.hydra_config import HydraConfig

from tem_vae.config.job import output_directory
from tem_vae.config.launch import launch
from tem_vae.config.resume import continued_config
from tem_vae.config.training import TrainConfig
from tem_vae.runs.folder import RunFolder
from tem_vae.sweeps.jobs import place_job


def main(config: TrainConfig) -> float | None:
    """Train, test, print the closing table; return the validation score that a sweeper optimises."""
    # Torch takes seconds to load: what is wrong with the configuration was said before.
    from lightning.pytorch.utilities import rank_zero_only

    from tem_vae.evaluation.tables import print_report
    from tem_vae.training.run import train

    if config.resume:
        config = continued_config(config, HydraConfig.get().overrides.task)
    run_dir = output_directory(config.run_dir)
    metrics = train(config, run_dir)
    # Processes that train together all come here.
    rank_zero_only(print_report)(metrics)
    rank_zero_only(print)(f"Written to {run_dir}")
    return RunFolder(run_dir).validation_scores().get(config.objective)


if __name__ == "__main__":
    sys.exit(launch(main, "train", TrainConfig, place_job))
