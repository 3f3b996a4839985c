"""Configurations composed and checked in process, as the scripts do it."""

from hydra import initialize_config_dir
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF, read_run
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.launch import check_sweep, parse_arguments
from tem_vae.config.training import TrainConfig


def compose_short_run(*overrides: str) -> TrainConfig:
    """The shortest training run, with changes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run([*SHORT_RUN, *overrides], "train", TrainConfig)[1]


def compose_evaluation(*overrides: str) -> EvaluateConfig:
    """An evaluation."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return read_run(overrides, "evaluate", EvaluateConfig)[1]


def check(*arguments: str, script: str = "train.py") -> None:
    """Check a command line."""
    options = parse_arguments(arguments)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        if options.multirun:
            check_sweep(options.overrides, "train", TrainConfig)
        elif script == "train.py":
            read_run(options.overrides, "train", TrainConfig)
        else:
            read_run(options.overrides, "evaluate", EvaluateConfig)
