"""How a script runs: all is checked before anything is built, and the exit status says how it went."""

import argparse
import contextlib
import functools
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Generic

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import IntervalSweep
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from tem_vae.config.command_line import (
    CONF,
    NOT_COMPOSABLE,
    find_all,
    keys_of_overrides,
    options_of,
    parse,
    read_run,
    unknown_choices,
)
from tem_vae.config.fields import Section
from tem_vae.config.problems import Config, Problem, examine, raise_problems, validate
from tem_vae.errors import CheckpointError, ConfigurationError, FolderGoneError
from tem_vae.runs.claim import LOCK, OWNER, claimed
from tem_vae.runs.folder import RUNS, RunFolder
from tem_vae.runs.interruption import Interrupted, interruptible, interruption_found
from tem_vae.runs.output import keep_printing

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
    keep_printing()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here; Hydra would shorten them and exit
    OmegaConf.register_new_resolver("run_directory", default_run_directory, use_cache=True, replace=True)
    job = _Job(task, schema, place_job)
    try:
        with interruptible(), interruption_found():
            put_options_first()
            options = parse_arguments()
            if options.experimental_rerun is not None:
                raise ConfigurationError(
                    f"--experimental-rerun={options.experimental_rerun} is refused: it runs whatever code "
                    "the file brings; repeat a run with the overrides in its .hydra/overrides.yaml"
                )
            if any(getattr(options, use) for use in _OTHER_USES):
                hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
            elif options.multirun:
                job.in_sweep = True
                with initialize_config_dir(str(CONF), version_base="1.3"):
                    check_sweep(options.overrides, config_name, schema)
                hydra.main(version_base="1.3", config_path=str(CONF), config_name=config_name)(job)()
            else:
                _run(job, options.overrides, config_name)
    except _WRONG as error:
        return job.refuse(error)
    except Interrupted as interrupted:
        print(f"The run was {interrupted}; {job.what_remains()}.", file=sys.stderr)
        return interrupted.exit_status
    except OSError as error:
        return job.fail(error)
    return job.status


def _run(job: "_Job[Config]", overrides: list[str], config_name: str) -> None:
    """A single run, as ``hydra.main`` has it, but what is composed is checked before a folder is made."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed, job.config = read_run(overrides, config_name, job.schema)
        with open_dict(composed):
            composed.hydra.mode = RunMode.RUN
        loader = GlobalHydra.instance().config_loader()
        job.run_dir = Path(composed.hydra.run.dir)
        context = HydraContext(config_loader=loader, callbacks=Callbacks(composed))
        with claimed(job.run_dir, _processes(composed)):
            ended = run_job(job, composed, "hydra.run.dir", None, context)
    _ = ended.return_value  # raises what the job did not handle


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Hydra's options and the overrides; a folder of the user's own configurations is one of these.

    Raises:
        ConfigurationError: There is no such folder.
    """
    options = get_args_parser().parse_args(arguments)
    if options.config_dir:
        if not os.path.isdir(options.config_dir):
            raise ConfigurationError(f"--config-dir {options.config_dir}: there is no such folder")
        options.overrides.append(f"hydra.searchpath=['file://{Path(options.config_dir).absolute()}']")
    return options


def put_options_first() -> None:
    """Let options stand anywhere: Hydra, which reads the command line too, wants them first."""
    arguments = sys.argv[1:]
    overrides: list[str] = get_args_parser().parse_intermixed_args(arguments).overrides
    for override in overrides:
        arguments.remove(override)
    sys.argv[1:] = [*arguments, *overrides]


def check_sweep(overrides: Sequence[str], config_name: str, schema: type[Section]) -> None:
    """Check what would keep all jobs of a sweep from running; anything else is checked job by job.

    That is a key that there is not, a group of which no choice is there, and a choice that Hydra cannot
    compose a job with: it composes all jobs before it starts the first.

    Raises:
        ConfigurationError: Naming every problem with its key, its value and what is allowed.
    """
    problems: list[Problem] = []
    unknown: list[list[Problem]] = []
    for job in _jobs_to_try(overrides, schema):
        try:
            composed = compose(config_name, job, return_hydra_config=True)
            unknown.append(list(unknown_choices(composed.hydra, schema)))
            problems += examine(composed, schema)[1]
        except NOT_COMPOSABLE as error:
            found = [problem for problem in find_all(job, config_name, schema) if problem.misspelt]
            problems += found or [Problem("", str(error), misspelt=True)]
    in_every_job = set.intersection(*({problem.key for problem in found} for found in unknown or [[]]))
    problems += [problem for found in unknown for problem in found if problem.key in in_every_job]
    raise_problems([problem for problem in problems if problem.misspelt])


def _jobs_to_try(overrides: Sequence[str], schema: type[Section]) -> Iterator[list[str]]:
    """The first job of a sweep, and the same with each other choice of the groups that it sweeps."""
    swept = []
    for text in overrides:
        override = parse(text)
        if override is None or not override.is_sweep_override():
            swept.append([text])
        elif isinstance(interval := override.value(), IntervalSweep):
            swept.append([f"{override.get_key_element()}={interval.start}"])
        else:
            values = [f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()]
            swept.append(values if options_of(override.key_or_group, schema, overrides) else values[:1])
    first = [values[0] for values in swept]
    yield first
    for at, values in enumerate(swept):
        yield from ([*first[:at], other, *first[at + 1 :]] for other in values[1:])


class _Job(Generic[Config]):
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
        in_multirun = HydraConfig.get().mode == RunMode.MULTIRUN
        output_dir = Path(HydraConfig.get().runtime.output_dir)
        try:
            with interruption_found():
                if self.config:
                    return self._task(self.config)
                with claimed(output_dir, _processes(composed)):
                    return self._task(self._check(composed))
        except _WRONG as error:
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
            return "nothing of it is kept, so start it again"
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


def _processes(composed: DictConfig) -> int:
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
    """Where Hydra writes a single run: what was asked for, else a folder named by the time."""
    return run_dir or f"{RUNS}/{datetime.now():%Y-%m-%d_%H-%M-%S}"


def output_directory(run_dir: Path | None) -> Path:
    """Where a task writes: what was asked for, else the folder that Hydra made for it."""
    return run_dir or Path(HydraConfig.get().runtime.output_dir)
