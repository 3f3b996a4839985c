"""Short configurations, composed and checked in process."""

from hydra import compose, initialize_config_dir
from short_runs import SHORT_RUN

from tem_vae.config.command_line import CONF
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig


def compose_short_run(*overrides: str) -> TrainConfig:
    """The shortest training run, with changes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=[*SHORT_RUN, *overrides]), TrainConfig)


def compose_evaluation(*overrides: str) -> EvaluateConfig:
    """An evaluation."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("evaluate", overrides=list(overrides)), EvaluateConfig)
