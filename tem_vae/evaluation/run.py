"""Trained models scored in other worlds, several on the same walks."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import lightning as L
import torch
import yaml

from tem_vae.config.evaluation import EvaluateConfig, check_outside_runs
from tem_vae.config.training import TrainConfig
from tem_vae.config.walks import WalksConfig
from tem_vae.config.wandb_account import check_account
from tem_vae.evaluation.doubts import apply_doubts
from tem_vae.evaluation.page import write_report
from tem_vae.evaluation.tester import score
from tem_vae.evaluation.trained import load_run
from tem_vae.evaluation.walk_plan import check_same, plan_walks
from tem_vae.evaluation.wandb_scores import log_scores
from tem_vae.runs.allocation import keep_freed_memory
from tem_vae.runs.folder import Metrics, RunFolder
from tem_vae.runs.terminal import alone, draws_bars, progress_bar, quiet_lightning


def evaluate(config: EvaluateConfig, run_dir: Path) -> dict[str, Metrics]:
    """Score trained models on the same walks.

    ``metrics.json``, and with ``report`` every figure, go to ``run_dir``; those of several checkpoints each
    to a folder of its own there, beside ``comparison.csv``. With ``logger.kind=wandb`` scores are the summary
    of a wandb run, too.

    Returns:
        What each ``metrics.json`` holds, by the name of the checkpoint.

    Raises:
        CheckpointError: A file is no checkpoint of this program.
        ConfigurationError: A model cannot be scored on what is asked for, or not all on the same walks, or
            a folder to write to is a training run or lies in one.
    """
    quiet_lightning()
    torch.set_num_threads(config.threads)
    keep_freed_memory()
    if config.logger.kind == "wandb" and not config.logger.offline:
        check_account()
    paths = dict(zip(name_checkpoints(config.checkpoint), config.checkpoint, strict=True))
    folders = {name: RunFolder(run_dir / name if len(paths) > 1 else run_dir) for name in paths}
    for folder in folders.values():
        check_outside_runs(folder.path)
    runs = {name: load_run(path, config.plugins) for name, path in paths.items()}
    plans = {
        name: plan_walks(run.config.data, config.data, is_own(paths[name], run.config), config.plugins)
        for name, run in runs.items()
    }
    check_same(plans)
    results = {}
    for name, run in runs.items():
        folder = folders[name]
        walks = plans[name].build_walks(run.actions)
        apply_doubts(run, config.belief, walks)
        results[name] = score(run, walks, build_tester_trainer(folder.path))
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write_metrics(results[name])
        if config.logger.kind == "wandb":
            log_scores(config, paths[name], results[name], folder.path)
        if config.report:
            write_report(run, paths[name], walks, results[name], folder.report)
    if len(runs) > 1:
        write_comparison(results, run_dir / "comparison.csv")
    return results


def name_checkpoints(paths: Sequence[Path]) -> list[str]:
    """A name for each: the last parts of its path, as many as tell all apart.

    Example:
        >>> name_checkpoints([Path("runs/rank_4"), Path("runs/rank_8")])
        ['rank_4', 'rank_8']
        >>> name_checkpoints([Path("first/0"), Path("second/0")])
        ['first-0', 'second-0']
    """
    parts = [path.resolve().parts[1:] for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["-".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names


def is_own(checkpoint: Path, config: TrainConfig) -> bool:
    """Whether a checkpoint lies in a run of this user whose config.yaml names the same recorded walks.

    A stranger's checkpoint may name any file; such a file is not opened.
    """
    folder = RunFolder.of(checkpoint)
    try:
        values = folder.read_config()
        is_mine = folder.config.stat().st_uid == os.getuid()
        path = values["data"]["path"] if is_mine else None
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return False
    return isinstance(config.data, WalksConfig) and path == str(config.data.path)


def build_tester_trainer(folder: Path) -> L.Trainer:
    """Lightning's trainer, to test only."""
    return L.Trainer(
        accelerator="cpu",
        plugins=[alone()],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=progress_bar(),
        enable_progress_bar=draws_bars(),
        default_root_dir=folder,
    )


def write_comparison(results: Mapping[str, Metrics], path: Path) -> None:
    """A row a score, a column a checkpoint; empty where there was nothing to score."""
    names = next(iter(results.values()))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["score", *results])
        writer.writerows([name, *(metrics.get(name) for metrics in results.values())] for name in names)
