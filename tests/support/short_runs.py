"""The smallest run in which everything happens: updates, validations, logged rows, checkpoints, a test."""

from pathlib import Path

from hydra import compose, initialize_config_dir

from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig

SHORT_RUN = (
    "logger=none",
    "model.code_dim=32",
    "model.metric.rank=4",
    "model.decoder.hidden_dim=16",
    "data.world.height=4",
    "data.world.width=[3,4]",
    "data.walk_length=20",
    "data.batch_size=4",
    "data.validation.walk_length=30",
    "data.validation.walks=4",
    "data.test.walk_length=30",
    "data.test.walks=4",
    "optimizer.warmup_updates=3",
    "trainer.max_steps=24",
    "trainer.val_check_interval=8",
    "trainer.log_every_n_steps=3",
    "trainer.checkpoint_interval=4",
)


def short_config(run_dir: Path, *overrides: str) -> TrainConfig:
    """The configuration of a short run."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("train", overrides=[*SHORT_RUN, f"run_dir={run_dir}", *overrides])
    return validate(composed, TrainConfig)
