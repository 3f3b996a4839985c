"""Compare models on the same walks: ``python scripts/compare.py task=torus models=all budget=600``.

A job is a model and a seed; one whose result is there is not done again. ``-m task=torus models=lstm,tem
seeds=0,1,2 hydra/launcher=joblib`` makes a sweep of them; the plain command then writes tables and figures.
"""

import sys

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from tem_vae.config.launch import launch
from tem_vae.studies.rivals.config import CompareConfig


def main(config: CompareConfig) -> None:
    """Do the jobs that are left, and write the pages."""
    # Torch takes seconds to load: what is wrong with the configuration was said before.
    from tem_vae.studies.rivals.compare import run_jobs
    from tem_vae.studies.rivals.pages import write_pages

    run_jobs(config)
    if HydraConfig.get().mode != RunMode.MULTIRUN:  # jobs of a sweep may end at once
        print(write_pages(config.out, config.task))
        print(f"Written to {config.out}")


if __name__ == "__main__":
    sys.exit(launch(main, "compare", CompareConfig))
