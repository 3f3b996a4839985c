"""Short configurations, composed and checked in process."""

from hydra import compose, initialize_config_dir
from short_runs import SHORT_RUN

from tem_vae.training.composition import CONF
from tem_vae.training.config import TrainConfig
from tem_vae.training.evaluation_config import EvaluateConfig
from tem_vae.training.schema import validate


def compose_short_run(*overrides: str) -> TrainConfig:
    """The shortest training run, with changes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("train", overrides=[*SHORT_RUN, *overrides]), TrainConfig)


def compose_evaluation(*overrides: str) -> EvaluateConfig:
    """An evaluation."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return validate(compose("evaluate", overrides=list(overrides)), EvaluateConfig)
