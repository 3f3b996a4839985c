"""How a script runs: all is checked before anything is built, and the exit status says how it went."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hydra
from hydra import compose, initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import IntervalSweep
from hydra.core.utils import run_job
from hydra.errors import HydraException
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from tem_vae.config.command_line import (
    CONF,
    NOT_COMPOSABLE,
    find_all,
    options_of,
    parse,
    read_run,
    unknown_choices,
)
from tem_vae.config.fields import Section
from tem_vae.config.job import CONFIGURATION_WRONG, DONE, WRONG, Job, default_run_directory, processes
from tem_vae.config.problems import Config, Problem, examine, raise_problems
from tem_vae.errors import ConfigurationError
from tem_vae.runs.claim import claimed
from tem_vae.runs.interruption import Interrupted, interruptible, interruption_found
from tem_vae.runs.output import keep_printing

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
    job = Job(task, schema, place_job)
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
    except WRONG as error:
        return job.refuse(error)
    except Interrupted as interrupted:
        print(f"The run was {interrupted}; {job.what_remains()}.", file=sys.stderr)
        return interrupted.exit_status
    except OSError as error:
        return job.fail(error)
    return job.status


def launch_plain(task: Callable[[Config], None], config_name: str, schema: type[Config], page: str) -> int:
    """Run a task that writes one file, whole or not at all: it has no directory of a run, and no sweeps.

    Args:
        task: Takes the checked configuration.
        config_name: The file in ``conf/`` to compose from.
        schema: What the configuration is checked against.
        page: What ``--help`` prints.

    Returns:
        The exit status: 0 done, 2 the configuration is wrong, 128 and the signal where one ended it.
    """
    keep_printing()
    if {"-h", "--help"} & set(sys.argv):
        print(page)
        return DONE
    try:
        with interruptible():
            options = parse_arguments()
            with initialize_config_dir(str(CONF), version_base="1.3"):
                config = read_run(options.overrides, config_name, schema)[1]
            task(config)
    except (ConfigurationError, HydraException) as error:
        print(error, file=sys.stderr)
        return CONFIGURATION_WRONG
    except Interrupted as interrupted:
        print(f"The script was {interrupted}; nothing of it is kept.", file=sys.stderr)
        return interrupted.exit_status
    return DONE


def _run(job: Job[Config], overrides: list[str], config_name: str) -> None:
    """A single run, as ``hydra.main`` has it, but what is composed is checked before a folder is made."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed, job.config = read_run(overrides, config_name, job.schema)
        with open_dict(composed):
            composed.hydra.mode = RunMode.RUN
        loader = GlobalHydra.instance().config_loader()
        job.run_dir = Path(composed.hydra.run.dir)
        context = HydraContext(config_loader=loader, callbacks=Callbacks(composed))
        with claimed(job.run_dir, processes(composed)):
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
