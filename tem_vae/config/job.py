"""A task of a script with its configuration: where it is written, and what becomes of its errors."""

import contextlib
import functools
import logging
import shutil
import sys
from collections.abc import Callable
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, Generic

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tem_vae.config.command_line import keys_of_overrides, unknown_choices
from tem_vae.config.problems import Config, raise_problems, validate
from tem_vae.errors import CheckpointError, ConfigurationError, FolderGoneError
from tem_vae.runs.claim import LOCK, OWNER, claimed
from tem_vae.runs.folder import RUNS, RunFolder
from tem_vae.runs.interruption import interruption_found
from tem_vae.runs.output import keep_printing

DONE, FAILED, CONFIGURATION_WRONG = 0, 1, 2

WRONG = (ConfigurationError, CheckpointError, HydraException, OmegaConfBaseException)

_log = logging.getLogger(__name__)


class Job(Generic[Config]):
    """A task with its configuration; an error is printed where it occurs, so that other jobs go on.

    Attributes:
        config: The checked configuration; None where it is yet to be checked, as in a sweep.
        status: The exit status of a single run.
        in_sweep: Whether it is run several times.
        run_dir: Of a single run, None before that is known.
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
        self.in_sweep = False
        self.run_dir: Path | None = None
        self._task = task
        self._place_job = place_job
        self._refused: Exception | None = None
        functools.update_wrapper(self, task)

    def __call__(self, composed: DictConfig) -> float | None:
        """Check what Hydra composed, unless that was done, and run the task in its folder."""
        in_multirun = HydraConfig.get().mode == RunMode.MULTIRUN
        output_dir = Path(HydraConfig.get().runtime.output_dir)
        try:
            with interruption_found():
                if self.config:
                    return self._task(self.config)
                with claimed(output_dir, processes(composed)):
                    return self._task(self._check(composed))
        except WRONG as error:
            self.status = self.refuse(error)
            if in_multirun:
                raise
            _remove_unused(output_dir)
        except (FolderGoneError, OSError) as error:
            if in_multirun:
                raise
            self.status = self.fail(error)
        except Exception:
            if in_multirun:
                raise
            _log.exception("The run failed")
            self.status = FAILED
        return None

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A launcher has sent the job to another process, which prints too.
        keep_printing()
        self.__dict__.update(state)

    def _check(self, composed: DictConfig) -> Config:
        job = HydraConfig.get()
        raise_problems(unknown_choices(job, self.schema))
        if self._place_job and job.mode == RunMode.MULTIRUN:
            composed = self._place_job(composed)
        return validate(composed, self.schema, keys_of_overrides(job.overrides.task))

    def what_remains(self) -> str:
        """What can be done about an interruption."""
        if "resume" not in self.schema.model_fields:
            return self.schema.if_cut_off
        if self.in_sweep:
            return "if jobs had begun, repeat the command with resume=true added to continue them"
        if self.run_dir is None or not RunFolder(self.run_dir).last.exists():
            return "nothing was saved yet, so start it again"
        return f"continue it with resume=true run_dir={self.run_dir}"

    def refuse(self, error: Exception) -> int:
        """Print what is wrong, once; returns the exit status."""
        if error is not self._refused:
            print(error, file=sys.stderr)
        self._refused = error
        return CONFIGURATION_WRONG

    def fail(self, error: FolderGoneError | OSError) -> int:
        """Say in a sentence that the surroundings of the run failed it; returns the exit status."""
        if isinstance(error, OSError):
            file = f"{error.filename}: " if error.filename else ""
            print(f"The run failed, {file}{error.strerror or error}; {self.what_remains()}.", file=sys.stderr)
        else:
            print(error, file=sys.stderr)
        _log.debug("Where it failed", exc_info=error)  # hydra.verbose=true shows it
        return FAILED


def processes(composed: DictConfig) -> int:
    """How many train together, of a configuration that may be wrong still."""
    devices = OmegaConf.select(composed, "trainer.devices", throw_on_resolution_failure=False)
    return devices if isinstance(devices, int) else 1


def _remove_unused(run_dir: Path) -> None:
    """Remove the directory of a refused run, unless there is more in it than Hydra wrote before the run."""
    hydra = HydraConfig.get()
    written = {hydra.output_subdir, f"{hydra.job.name}.log", LOCK, OWNER}
    if {path.name for path in run_dir.iterdir()} <= written:
        shutil.rmtree(run_dir)
        if run_dir.parent.name == RUNS:
            with contextlib.suppress(OSError):  # it holds other runs
                run_dir.parent.rmdir()


def default_run_directory(run_dir: str | None) -> str:
    """Where Hydra writes a single run: what was asked for, else a new folder named by the time."""
    if run_dir:
        return run_dir
    named = f"{RUNS}/{datetime.now():%Y-%m-%d_%H-%M-%S}"
    names = chain([named], (f"{named}_{number}" for number in count(2)))
    return next(name for name in names if not Path(name).exists())


def output_directory(run_dir: Path | None) -> Path:
    """Where a task writes: what was asked for, else the folder that Hydra made for it."""
    return run_dir or Path(HydraConfig.get().runtime.output_dir)
