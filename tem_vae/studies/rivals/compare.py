"""A comparison: its jobs, those of them that are left to do, and the pages made of what they found."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock

from tem_vae.errors import ConfigurationError
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.config import AGENTS, CompareConfig
from tem_vae.studies.rivals.contract import Trial
from tem_vae.studies.rivals.job import Job, Result, in_its_own_process, measure, read, search
from tem_vae.studies.rivals.tasks import TASKS

_log = logging.getLogger(__name__)


def run_jobs(config: CompareConfig) -> None:
    """Do every job whose result is not there yet, one after the other, and write each result.

    Raises:
        ConfigurationError: A result that is there was found with another budget, or on other walks.
    """
    jobs = [
        Job(config.task, model, seed, config.budget, tuple(config.overrides), config.threads)
        for seed in config.seeds
        for model in config.taking_part
        if seed == config.seeds[0] or model not in AGENTS  # who are not trained, and the same for every seed
    ]
    left = [job for job in jobs if not _is_done(config.out, job)]
    for job in left:
        job.compose()  # what is wrong with overrides is said before the first job
    for number, job in enumerate(left, start=1):
        _log.info("job %d of %d: %s on %s, seed %d", number, len(left), job.model, job.task, job.seed)
        trial = _choose(config.out, job, config.search)
        path = result_path(config.out, job.task, job.model, job.seed)
        in_its_own_process(measure, path, job, trial)


def result_path(out: Path, task: str, model: str, seed: int | None) -> Path:
    """Where the result of a job is, or that of a model's search."""
    return out / "results" / task / f"{model}-{'search' if seed is None else seed}.json"


def read_results(out: Path, task: str) -> Iterator[Result]:
    """The results of all finished jobs of a task, by model in the order of the catalogue, then by seed."""
    for model in RIVALS:
        found = result_path(out, task, model, 0).parent.glob(f"{model}-*.json")
        numbered = [path for path in found if path.stem.removeprefix(f"{model}-").isdigit()]
        for path in sorted(numbered, key=lambda path: int(path.stem.rpartition("-")[2])):
            yield read(path)


def read_search(out: Path, task: str, model: str) -> Result | None:
    """What the search of a model came to; None where there was none."""
    path = result_path(out, *_searched_as(task, model), None)
    return read(path) if path.exists() else None


def _searched_as(task: str, model: str) -> tuple[str, str]:
    """Whose search decides the settings of a model on a task; on longer runs they are those on short ones."""
    return TASKS[task].searched_as or task, model.removesuffix("_recipe")


def _is_done(out: Path, job: Job) -> bool:
    path = result_path(out, job.task, job.model, job.seed)
    if not path.exists():
        return False
    found = read(path)["job"]
    asked = json.loads(json.dumps(asdict(job)))
    for key in ("budget", "overrides"):
        if found[key] != asked[key]:
            raise ConfigurationError(
                f"{path} was found with {key} = {found[key]}, and {asked[key]} is asked for; name another "
                "out, or remove the file"
            )
    return True


def _choose(out: Path, job: Job, share: float) -> Trial:
    """The best setting of a model on a task, searched for once."""
    rival = RIVALS[job.model]
    if len(rival.trials) == 1:
        return rival.trials[0]
    task, model = _searched_as(job.task, job.model)
    path = result_path(out, task, model, None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.stem}.lock")):  # of jobs side by side one searches, the others wait
        found = read_search(out, job.task, job.model)
        if found is None:
            _log.info("search: %d settings of %s on %s", len(rival.trials), model, task)
            found = in_its_own_process(search, path, replace(job, task=task, model=model, seed=0), share)
    best = found["tried"][found["best"]]
    return Trial(best["learning_rate"], best["size"])


def tasks_found(out: Path) -> Sequence[str]:
    """The tasks of which a result is there."""
    return [task for task in TASKS if any(read_results(out, task))]
