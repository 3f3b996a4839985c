"""How a script runs: Hydra composes, all is checked before anything is built, the exit status tells."""

import logging
import os
import sys
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tem_vae.training.checkpoint import CheckpointError
from tem_vae.training.schema import ConfigurationError, register_schemas

CONFIGURATION_WRONG = 2

CONF = Path(__file__).parents[2] / "conf"


def launch(task: Callable[[DictConfig], float | None], config_name: str) -> int:
    """Run a task under Hydra and return the exit status: 0 done, 2 the configuration is wrong.

    Args:
        task: Takes the composed configuration; what it returns is what a sweeper optimises.
        config_name: The file in ``conf/`` to compose from.
    """
    # Hydra would print its own short message and exit with 1; the messages below say more.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    _quiet_libraries()
    register_schemas()
    OmegaConf.register_new_resolver("run_directory", default_run_directory, use_cache=True, replace=True)
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(task)()
    except (ConfigurationError, CheckpointError) as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_WRONG
    except (HydraException, OmegaConfBaseException) as error:
        print(f"The configuration is wrong:\n  {error}", file=sys.stderr)
        return CONFIGURATION_WRONG
    return 0


def default_run_directory(run_dir: str | None) -> str:
    """Where Hydra writes a single run: what was asked for, else a folder named by the time."""
    return run_dir or f"runs/{datetime.now():%Y-%m-%d_%H-%M-%S}"


def output_directory(run_dir: Path | None) -> Path:
    """Where a task writes: what was asked for, else the folder that Hydra made for it."""
    return run_dir or Path(HydraConfig.get().runtime.output_dir)


def _quiet_libraries() -> None:
    """Silence what a user can do nothing about."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec.*")
