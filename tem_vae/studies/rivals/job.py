"""One job of a comparison: a model and a seed, trained and tested in a process of its own."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.training import TrainConfig
from tem_vae.runs.files import write_whole
from tem_vae.studies.benchmarks.measure import describe_machine
from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.contract import NotApplicableError, Trial
from tem_vae.studies.rivals.scores import score
from tem_vae.studies.rivals.tasks import TASKS

_BYTES_IN_MAXRSS = 1 if sys.platform == "darwin" else 1024
_MEBIBYTE = 2**20
Result = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A model and a seed.

    Attributes:
        task: The name of the task.
        model: The name of the model.
        seed: Of training.
        budget: CPU-seconds of training.
        overrides: Of ``scripts/train.py``, behind those of the task.
        threads: CPU threads of torch.
    """

    task: str
    model: str
    seed: int
    budget: float
    overrides: tuple[str, ...] = ()
    threads: int = 1

    def compose(self, more: Sequence[str] = ()) -> TrainConfig:
        """The walks of training, with what a test says differently.

        Raises:
            ConfigurationError: An override is wrong.
        """
        task, rival = TASKS[self.task], RIVALS[self.model]
        walks = task.recipe if rival.own_walks else task.walks
        given = ["logger=none", *walks, *more, *self.overrides, f"seed={self.seed}"]
        inside = GlobalHydra.instance().is_initialized()  # as where a script began, in the same folder
        with nullcontext() if inside else initialize_config_dir(str(CONF), version_base="1.3"):
            return read_run(given, "train", TrainConfig)[1]


def in_its_own_process(function: Callable[..., Result], path: Path, job: Job, *arguments: object) -> Result:
    """Call a function of this file in a fresh process, whose peak of memory is its own.

    Args:
        function: `search` or `measure`.
        path: Where its result is written, whole or not at all.
        job: Its first argument.
        arguments: Its others, as JSON can say them.

    Returns:
        The result.

    Raises:
        ChildProcessError: The process failed; what it said stands above.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    request = json.dumps([function.__name__, asdict(job), *arguments])
    # Not multiprocessing: within launchers it starts processes in ways of their own.
    ended = subprocess.run([sys.executable, "-m", __name__, str(path)], input=request, text=True, check=False)
    if ended.returncode:
        raise ChildProcessError(f"{job.model} on {job.task}, seed {job.seed}: status {ended.returncode}")
    return read(path)


def read(path: Path) -> Result:
    """The result in a file."""
    result: Result = json.loads(path.read_text(encoding="utf-8"))
    return result


def search(job: Job, share: float) -> Result:
    """Try every setting of a model for a share of the budget.

    Returns:
        What each came to, and the index of the one that foresaw validation percepts best.
    """
    torch.set_num_threads(job.threads)
    rival, config = RIVALS[job.model], job.compose()
    tried = []
    for trial in rival.trials:
        with suppress(NotApplicableError):  # `measure` will say so
            curve = rival.train(config, trial, share * job.budget).curve
            nats = [point.nats for point in curve if point.nats is not None]
            tried.append({**trial._asdict(), "nats": min(nats, default=None)})
    known = [(entry["nats"], index) for index, entry in enumerate(tried) if entry["nats"] is not None]
    tried = tried or [{**rival.trials[0]._asdict(), "nats": None}]
    return {"tried": tried, "best": min(known)[1] if known else 0, "seconds_each": share * job.budget}


def measure(job: Job, trial: Trial) -> Result:
    """Train a model and test the weights of its best validation.

    Returns:
        All that is known of the job, as JSON can say it; of a model that is not about such walks, only why.
    """
    torch.set_num_threads(job.threads)
    rival, config = RIVALS[job.model], job.compose()
    result: Result = {
        "job": asdict(job),
        "trial": trial._asdict(),
        "machine": describe_machine(torch.device("cpu")),
    }
    before = _most_memory()
    try:
        training = rival.train(config, trial, job.budget)
    except NotApplicableError as error:
        return result | {"not_applicable": str(error)}
    peak = _most_memory() - before
    result["training"] = {
        "seconds": training.seconds,
        "updates": training.curve[-1].updates if training.curve else 0,
        "steps_per_second": training.walk_steps / training.seconds if training.seconds else None,
        "peak_mebibytes": peak,
        "parameters": training.parameters,
    }
    result["curve"] = [point._asdict() for point in training.curve]
    result["tests"] = {}
    for name, overrides in TASKS[job.task].tests.items():
        built = job.compose(overrides).data.build()
        start = time.process_time()
        scores = score(training.forecaster, built.test.loader(), built.train)
        scores["seconds"] = time.process_time() - start
        result["tests"][name] = {key: None if value != value else value for key, value in scores.items()}
    return result


def _most_memory() -> float:
    """The most that this process has held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES_IN_MAXRSS / _MEBIBYTE


def _serve(path: Path) -> None:
    """What the fresh process does."""
    name, described, *arguments = json.load(sys.stdin)
    job = Job(**described | {"overrides": tuple(described["overrides"])})
    result = search(job, *arguments) if name == "search" else measure(job, Trial(*arguments[0]))
    write_whole(path, json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
