"""Training from Python: from walks in memory or in a file to a trained model, in one call."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra import initialize_config_dir

from tem_vae.config.command_line import CONF, keys_of_overrides, read_run
from tem_vae.config.job import default_run_directory
from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, open_recording, save_walks
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.trained import TrainedRun, load_run
from tem_vae.runs.claim import claimed
from tem_vae.runs.folder import Metrics, RunFolder
from tem_vae.training.run import train

WALKS = "walks.h5"


@dataclass(frozen=True)
class FittedRun(TrainedRun):
    """A run that was just trained.

    Attributes:
        metrics: What its ``metrics.json`` holds, by name; None where there was nothing to score.
        folder: Where it is written: ``load_run(folder)`` gives it again.
    """

    metrics: Metrics
    folder: Path


def fit(
    walks: Walks | str | Path,
    overrides: Sequence[str] = (),
    run_dir: str | Path | None = None,
    *,
    action_names: Sequence[str] | None = None,
    worlds: Sequence[str | int] | None = None,
) -> FittedRun:
    """Train a model on walks, and test it on some of them that it was not trained on.

    It is what ``scripts/train.py data=walks data.path=... logger=none`` does, with the same files, and can be
    evaluated by ``scripts/evaluate.py``. Real-valued actions get ``model/path_integration=linear``.

    Args:
        walks: A batch, whose rows are written to ``walks.h5`` in the folder of the run; or a file or folder
            as docs/data.md describes it. Training, validation and test need a walk each.
        overrides: As on the command line, such as ``["trainer.max_steps=300", "seed=1"]``.
        run_dir: A new folder; by default one in ``runs/``, named by the time.
        action_names: Of walks in memory: names of the actions, in the order of their numbers.
        worlds: Of walks in memory: the world of each; without it each walk is in one of its own, and what is
            tested is what holds in worlds never met.

    Raises:
        ConfigurationError: An override or the walks are wrong, or ``run_dir`` holds a run or is being written
            to; the message names every problem.
        TypeError: Something else than walks or a path was given, such as arrays.
        ValueError: A walk has fewer than two steps, or worlds are not as many as walks.
    """
    if not isinstance(walks, Walks | str | Path):
        raise TypeError(
            f"fit takes walks or the path of a file of them, and not a {type(walks).__name__}; as_walks of "
            "tem_vae.data makes walks of arrays: fit(as_walks(percepts, actions))"
        )
    folder = Path(run_dir or default_run_directory(None))
    if RunFolder(folder).holds_run:
        raise ConfigurationError(f"run_dir = {folder} holds a run already; name another run_dir")
    if isinstance(walks, Walks) and (folder / WALKS).exists():
        raise ConfigurationError(f"{folder / WALKS} is there already; name another run_dir")
    is_new = not folder.exists()
    threads = torch.get_num_threads()
    with claimed(folder):
        try:
            if isinstance(walks, Walks):
                path = folder / WALKS
                save_walks(path, walks, action_names=action_names, worlds=worlds)
            else:
                path = Path(walks)
            metrics = train(_read_config(path, overrides, folder), folder)
        except Exception:
            if not RunFolder(folder).holds_run:
                _remove_unused(folder, is_new)
            raise
        finally:
            torch.set_num_threads(threads)
    run = load_run(folder)
    return FittedRun(run.config, run.percepts, run.actions, run.model, metrics, folder)


def _read_config(path: Path, overrides: Sequence[str], folder: Path) -> TrainConfig:
    """The configuration: the data are these walks, and what the user says comes last."""
    given = keys_of_overrides(overrides)
    if fixed := [key for key in ("data", "data.path", "run_dir", "resume") if key in given]:
        raise ConfigurationError(
            f"{', '.join(fixed)}: fit itself says what a new run is trained on and where it is written; "
            "leave it out, or use scripts/train.py"
        )
    ours = ["data=walks", f"data.path={_quoted(path)}", f"run_dir={_quoted(folder)}"]
    if "logger" not in given:
        ours.append("logger=none")
    if not {"model/path_integration", "model.path_integration.kind"} & set(given):
        is_vector = open_recording(path).action_dim is not None
        ours += ["model/path_integration=linear"] if is_vector else []
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run([*ours, *overrides], "train", TrainConfig)[1]


def _quoted(path: Path) -> str:
    """A path as an override says it, whatever characters it has."""
    text = str(path.absolute()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _remove_unused(folder: Path, is_new: bool) -> None:
    """Leave nothing of a run that never began."""
    if is_new:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        (folder / WALKS).unlink(missing_ok=True)
