"""What Hydra does at the beginning and the end of a sweep and of each of its jobs."""

import atexit
import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict

from tem_vae.config.job import CONFIGURATION_WRONG
from tem_vae.config.training import TrainConfig
from tem_vae.errors import CheckpointError, ConfigurationError, FolderGoneError
from tem_vae.runs.claim import claimed
from tem_vae.runs.files import write_whole
from tem_vae.runs.folder import RunFolder
from tem_vae.sweeps.jobs import has_jobs
from tem_vae.sweeps.record import SweepRecord, find_sweep, identifying_overrides, read_record
from tem_vae.sweeps.search import continue_search, is_search

_log = logging.getLogger(__name__)


class SweepCallback(Callback):
    """Continues, records and summarises sweeps; keeps a failed job from ending the others.

    Hydra only warns of an exception in a callback, so what must end the program is a `SystemExit`.
    """

    def __init__(self) -> None:
        self.unfinished: Path | None = None

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Settle the sweep's directory and record what the sweep is."""
        try:
            sweep_dir = settle_directory(config)
            claim = claimed(sweep_dir, key="hydra.sweep.dir")
            claim.__enter__()
        except ConfigurationError as error:
            print(error, file=sys.stderr)
            raise SystemExit(CONFIGURATION_WRONG) from None
        # Not kept in the callback, which launchers send to other processes.
        atexit.register(claim.__exit__, None, None, None)
        SweepRecord(identifying_overrides(_command(config)), config.objective).write(sweep_dir)
        if config.resume and is_search(config):
            continue_search(config)
        self.unfinished = sweep_dir
        # Hydra calls on_multirun_end only if nothing was raised; a worker killed by the system raises.
        atexit.register(self._summarize)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Summarise; a sweep with failed jobs ends with exit status 1."""
        if self._summarize():
            raise SystemExit(1)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """A job that is tried again may succeed."""
        _folder_of(config).failure.unlink(missing_ok=True)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Note why a job of a sweep failed, and let the sweep go on without its result."""
        if job_return.status is not JobStatus.FAILED or OmegaConf.is_missing(config.hydra.job, "num"):
            return
        error: Exception = job_return._return_value
        expected = isinstance(error, ConfigurationError | CheckpointError | FolderGoneError | OSError)
        _log.error("job %s failed: %s", config.hydra.job.num, error, exc_info=None if expected else error)
        failure = {
            "reason": f"{type(error).__name__}: {error}",
            "traceback": "".join(traceback.format_exception(error)),
        }
        folder = _folder_of(config)
        try:
            _restore(folder, config)
            write_whole(folder.failure, json.dumps(failure, indent=2) + "\n")
        except OSError as unwritten:
            _log.error("%s cannot be written: %s", folder.failure, unwritten.strerror)
        job_return.status = JobStatus.COMPLETED
        job_return.return_value = None

    def _summarize(self) -> bool:
        """Whether a job failed; the second call does nothing."""
        sweep_dir, self.unfinished = self.unfinished, None
        if sweep_dir is None or not has_jobs(sweep_dir):
            return False
        # Every single run loads this file; figures, which only a sweep needs, take seconds to load.
        from tem_vae.sweeps.summary import print_summary, summarize

        try:
            summary = summarize(sweep_dir)
            print_summary(summary)
        except (OSError, ValueError) as error:
            _log.error("the sweep in %s cannot be summarised: %s", sweep_dir, error)
            return True
        return bool(summary.failures)


def settle_directory(config: DictConfig) -> Path:
    """The directory of the sweep, which the configurations of its jobs are made to keep to.

    Args:
        config: Composed for a multirun; changed in place.

    Raises:
        ConfigurationError: The objective is unknown, the jobs would share a directory, a sweep stands there
            already, or there is none to continue.
    """
    _check_objective(config.objective)
    if config.run_dir is not None or any(o.startswith("run_dir=") for o in config.hydra.overrides.task):
        raise ConfigurationError(
            "run_dir is the directory of one run; for a sweep, give hydra.sweep.dir=DIRECTORY"
        )
    sweep_dir = Path(config.hydra.sweep.dir)
    is_named = any(o.startswith("hydra.sweep.dir=") for o in config.hydra.overrides.hydra)
    if config.resume and not is_named:
        sweep_dir = find_sweep(sweep_dir.parent, _command(config))
    else:
        _check_directory(config, sweep_dir)
    with open_dict(config):
        config.hydra.sweep.dir = str(sweep_dir)
    quoted = QuotedString(str(sweep_dir), Quote.single).with_quotes()
    config.hydra.overrides.hydra.append(f"hydra.sweep.dir={quoted}")
    return sweep_dir


def _check_directory(config: DictConfig, sweep_dir: Path) -> None:
    """Refuse a directory in which a sweep would mix with something else."""
    begins = f"hydra.sweep.dir = {sweep_dir}"
    if not config.hydra.sweep.dir:
        raise ConfigurationError("hydra.sweep.dir is empty; name a directory, or leave it out")
    try:
        run, record = RunFolder.around(sweep_dir), read_record(sweep_dir)
    except OSError as error:
        raise ConfigurationError(f"{begins} cannot be used ({error.strerror}); name another") from None
    if run:
        raise ConfigurationError(
            f"{begins} is or lies in the training run {run.path}; name a directory outside of it"
        )
    if record and not config.resume:
        raise ConfigurationError(
            f"{begins} holds a sweep already; continue it with resume=true, or name another directory"
        )


def _restore(folder: RunFolder, job: DictConfig) -> None:
    """A job whose folder was removed is one without a result all the same."""
    if not folder.overrides.exists():
        folder.overrides.parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder.overrides, OmegaConf.to_yaml(job.hydra.overrides.task))


def _folder_of(job: DictConfig) -> RunFolder:
    return RunFolder(Path(job.hydra.runtime.output_dir))


def _command(config: DictConfig) -> list[str]:
    return [*config.hydra.overrides.task, *config.hydra.overrides.hydra]


def _check_objective(objective: str) -> None:
    allowed = TrainConfig.model_json_schema()["properties"]["objective"]["enum"]
    if objective not in allowed:
        raise ConfigurationError(f"objective = {objective}: must be one of {', '.join(allowed)}")
