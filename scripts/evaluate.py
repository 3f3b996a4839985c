"""Score a trained model: ``python scripts/evaluate.py checkpoint=PATH [data.* overrides]``."""

import sys

from omegaconf import DictConfig

from tem_vae.training.config import EvaluateConfig
from tem_vae.training.launch import launch, output_directory
from tem_vae.training.schema import validate


def main(composed: DictConfig) -> None:
    """Evaluate and print the closing table."""
    config = validate(composed, EvaluateConfig)
    # Torch takes seconds to load: what is wrong with the configuration is told before.
    from tem_vae.training.report import print_report
    from tem_vae.training.run import evaluate

    run_dir = output_directory(config.run_dir)
    print_report(evaluate(config, run_dir))
    print(f"Written to {run_dir}" + (", see report/index.html" if config.report else ""))


if __name__ == "__main__":
    sys.exit(launch(main, "evaluate", EvaluateConfig))
