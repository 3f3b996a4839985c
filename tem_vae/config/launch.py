"""How a script runs: all is checked before anything is built, Hydra composes, the exit status tells."""

import contextlib
import functools
import logging
import os
import shutil
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

from tem_vae.config.choices import check_choices
from tem_vae.config.command_line import CONF, check_command_line
from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.runs.interruption import Interrupted, interruptible

RUNS = "runs"

DONE, FAILED, CONFIGURATION_WRONG = 0, 1, 2

Task = Callable[[DictConfig], float | None]

_USERS_TO_MEND = (ConfigurationError, CheckpointError, HydraException, OmegaConfBaseException)

_log = logging.getLogger(__name__)


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
    job = _Job(task, functools.partial(check_choices, config_name, schema))
    try:
        with interruptible():
            check_command_line(sys.argv[1:], config_name, schema)
            hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
    except _USERS_TO_MEND as error:
        return job.tell(error)
    except Interrupted as interrupted:
        print(f"The run was {interrupted}; continue it with resume=true and its run_dir.", file=sys.stderr)
        return interrupted.exit_status
    return job.status


class _Job:
    """A task whose errors are told where they occur: the other jobs of a multirun go on.

    Attributes:
        status: The exit status of a single run.
    """

    def __init__(self, task: Task, check: Callable[[], None]) -> None:
        self._task = task
        self._check = check
        self._told: Exception | None = None
        self.status = DONE
        functools.update_wrapper(self, task)

    def __call__(self, composed: DictConfig) -> float | None:
        in_multirun = HydraConfig.get().mode == RunMode.MULTIRUN
        try:
            self._check()
            return self._task(composed)
        except _USERS_TO_MEND as error:
            self.status = self.tell(error)
            if in_multirun:
                raise
            _remove_unused(Path(HydraConfig.get().runtime.output_dir))
        except Exception:
            if in_multirun:
                raise
            _log.exception("The run failed")
            self.status = FAILED
        return None

    def tell(self, error: Exception) -> int:
        """Print what is wrong, once; returns the exit status."""
        if error is not self._told:
            print(error, file=sys.stderr)
        self._told = error
        return CONFIGURATION_WRONG


def _remove_unused(run_dir: Path) -> None:
    """Remove the directory of a refused run, unless there is more in it than Hydra wrote before the run."""
    hydra = HydraConfig.get()
    if {path.name for path in run_dir.iterdir()} <= {hydra.output_subdir, f"{hydra.job.name}.log"}:
        shutil.rmtree(run_dir)
        if run_dir.parent.name == RUNS:
            with contextlib.suppress(OSError):  # it holds other runs
                run_dir.parent.rmdir()


def default_run_directory(run_dir: str | None) -> str:
    """Where Hydra writes a single run: what was asked for, else a folder named by the time."""
    return run_dir or f"{RUNS}/{datetime.now():%Y-%m-%d_%H-%M-%S}"


def output_directory(run_dir: Path | None) -> Path:
    """Where a task writes: what was asked for, else the folder that Hydra made for it."""
    return run_dir or Path(HydraConfig.get().runtime.output_dir)
