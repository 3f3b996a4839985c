"""How a script runs: all is checked before anything is built, and the exit status says how it went."""

import contextlib
import functools
import logging
import os
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Generic

import hydra
from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from tem_vae.config.command_line import (
    CONF,
    check_sweep,
    keys_of_overrides,
    parse_arguments,
    read_run,
    unknown_choices,
)
from tem_vae.config.problems import Config, raise_problems, validate
from tem_vae.errors import CheckpointError, ConfigurationError
from tem_vae.runs.interruption import Interrupted, interruptible

RUNS = "runs"

DONE, FAILED, CONFIGURATION_WRONG = 0, 1, 2

_WRONG = (ConfigurationError, CheckpointError, HydraException, OmegaConfBaseException)

# Of Hydra's options: with these it composes something else, or runs nothing.
_OTHER_USES = (
    "help",
    "hydra_help",
    "cfg",
    "info",
    "shell_completion",
    "config_path",
    "config_name",
)

_log = logging.getLogger(__name__)


def launch(
    task: Callable[[Config], float | None],
    config_name: str,
    schema: type[Config],
    place_job: Callable[[DictConfig], DictConfig] | None = None,
) -> int:
    """Run a task under Hydra.

    Args:
        task: Takes the checked configuration; what it returns is what a sweeper optimises.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is checked against.
        place_job: Gives a job of a sweep, not yet checked, a directory of its own.

    Returns:
        The exit status: 0 done, 2 the configuration is wrong, 128 and the signal where one ended the run, 1
        anything else.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here; Hydra would shorten them and exit
    OmegaConf.register_new_resolver("run_directory", default_run_directory, use_cache=True, replace=True)
    job = _Job(task, schema, place_job)
    try:
        with interruptible():
            options = parse_arguments()
            if options.experimental_rerun is not None:
                raise ConfigurationError(
                    f"--experimental-rerun={options.experimental_rerun} is refused: it runs whatever code "
                    "the file brings; repeat a run with the overrides in its .hydra/overrides.yaml"
                )
            if any(getattr(options, use) for use in _OTHER_USES):
                hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
            elif options.multirun:
                with initialize_config_dir(str(CONF), version_base="1.3"):
                    check_sweep(options.overrides, config_name, schema)
                hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
            else:
                _run(job, options.overrides, config_name)
    except _WRONG as error:
        return job.refuse(error)
    except Interrupted as interrupted:
        print(f"The run was {interrupted}; continue it with resume=true and its run_dir.", file=sys.stderr)
        return interrupted.exit_status
    return job.status


def _run(job: "_Job[Config]", overrides: list[str], config_name: str) -> None:
    """A single run, as ``hydra.main`` has it, but what is composed is checked before a folder is made."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed, job.config = read_run(overrides, config_name, job.schema)
        with open_dict(composed):
            composed.hydra.mode = RunMode.RUN
        loader = GlobalHydra.instance().config_loader()
        context = HydraContext(config_loader=loader, callbacks=Callbacks(composed))
        ended = run_job(job, composed, "hydra.run.dir", None, context)
    _ = ended.return_value  # raises what the job did not handle


class _Job(Generic[Config]):
    """A task with its configuration; an error is printed where it occurs, so that other jobs go on.

    Attributes:
        config: The checked configuration; None where it is yet to be checked, as in a sweep.
        status: The exit status of a single run.
    """

    def __init__(
        self,
        task: Callable[[Config], float | None],
        schema: type[Config],
        place_job: Callable[[DictConfig], DictConfig] | None,
    ) -> None:
        self.schema = schema
        self.config: Config | None = None
        self.status = DONE
        self._task = task
        self._place_job = place_job
        self._refused: Exception | None = None
        functools.update_wrapper(self, task)

    def __call__(self, composed: DictConfig) -> float | None:
        in_multirun = HydraConfig.get().mode == RunMode.MULTIRUN
        try:
            return self._task(self.config or self._check(composed))
        except _WRONG as error:
            self.status = self.refuse(error)
            if in_multirun:
                raise
            _remove_unused(Path(HydraConfig.get().runtime.output_dir))
        except Exception:
            if in_multirun:
                raise
            _log.exception("The run failed")
            self.status = FAILED
        return None

    def _check(self, composed: DictConfig) -> Config:
        job = HydraConfig.get()
        raise_problems(list(unknown_choices(job, self.schema)))
        if self._place_job and job.mode == RunMode.MULTIRUN:
            composed = self._place_job(composed)
        return validate(composed, self.schema, keys_of_overrides(job.overrides.task))

    def refuse(self, error: Exception) -> int:
        """Print what is wrong, once; returns the exit status."""
        if error is not self._refused:
            print(error, file=sys.stderr)
        self._refused = error
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
