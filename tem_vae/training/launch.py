"""How a script runs: all is checked before anything is built, Hydra composes, the exit status tells."""

import functools
import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel

from tem_vae.training.composition import CONF, check_command_line
from tem_vae.training.errors import CheckpointError, ConfigurationError
from tem_vae.training.interruption import Interrupted, interruptible

DONE, FAILED, CONFIGURATION_WRONG = 0, 1, 2

Task = Callable[[DictConfig], float | None]

_log = logging.getLogger(__name__)


class JobFailed(Exception):  # noqa: N818 - no error of its own: what went wrong is told already
    """A job of a multirun failed.

    Args:
        status: The exit status that says how.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def launch(task: Task, config_name: str, schema: type[BaseModel]) -> int:
    """Run a task under Hydra.

    Args:
        task: Takes the composed configuration; what it returns is what a sweeper optimises.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is held against.

    Returns:
        The exit status: 0 done, 2 the configuration is wrong, 128 and the signal where one ended the run, 1
        anything else.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here; Hydra would shorten them and exit
    OmegaConf.register_new_resolver("run_directory", default_run_directory, use_cache=True, replace=True)
    job = _Job(task)
    try:
        with interruptible():
            check_command_line(sys.argv[1:], config_name, schema)
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
    except ConfigurationError as error:
        return _tell(error)
    except (HydraException, OmegaConfBaseException) as error:
        return _tell(f"The configuration is wrong:\n  {error}")
    except JobFailed as failed:
        return failed.status
    except Interrupted as interrupted:
        print(f"The run was {interrupted}; continue it with resume=true and its run_dir.", file=sys.stderr)
        return interrupted.exit_status
    return job.status


class _Job:
    """A task whose errors are told where they occur, in a multirun too, where the other jobs go on.

    Attributes:
        status: The exit status of a single run.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.status = DONE
        functools.update_wrapper(self, task)

    def __call__(self, composed: DictConfig) -> float | None:
        try:
            return self._task(composed)
        except (ConfigurationError, CheckpointError) as error:
            self.status = _tell(error)
        except Exception:
            _log.exception("The run failed")
            self.status = FAILED
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            raise JobFailed(self.status)
        return None


def _tell(error: object) -> int:
    print(error, file=sys.stderr)
    return CONFIGURATION_WRONG


def default_run_directory(run_dir: str | None) -> str:
    """Where Hydra writes a single run: what was asked for, else a folder named by the time."""
    return run_dir or f"runs/{datetime.now():%Y-%m-%d_%H-%M-%S}"


def output_directory(run_dir: Path | None) -> Path:
    """Where a task writes: what was asked for, else the folder that Hydra made for it."""
    return run_dir or Path(HydraConfig.get().runtime.output_dir)
