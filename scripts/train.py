"""Train a TEM VAE: ``python scripts/train.py [overrides]``; ``--help`` lists what can be overridden."""

import sys

from omegaconf import DictConfig

from tem_vae.training.config import TrainConfig
from tem_vae.training.launch import launch, output_directory
from tem_vae.training.report import print_report
from tem_vae.training.run import train
from tem_vae.training.schema import validate


def main(composed: DictConfig) -> float | None:
    """Train, test, print the closing table; return the validated score that a sweep optimises."""
    config = validate(composed, TrainConfig)
    run_dir = output_directory(config.run_dir)
    metrics = train(config, run_dir)
    print_report(metrics)
    print(f"Written to {run_dir}")
    return metrics["test/zero_shot_accuracy"]


if __name__ == "__main__":
    sys.exit(launch(main, "train"))
