"""What ``resume=true`` continues, and with which configuration."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from tem_vae.config.command_line import keys_of_overrides
from tem_vae.config.fields import flatten
from tem_vae.config.plugins import CONTEXT_KEY, refusals
from tem_vae.config.training import DROPPED_KEY, TrainConfig
from tem_vae.errors import ConfigurationError
from tem_vae.runs.folder import RunFolder

# Where a run is written and what is logged of it, whether it continues, what it may import: no part of what
# it computes.
NOT_COMPUTED = ("resume", "run_dir", "logger", "plugins")

# What may change where a run continues: the above, and what leaves its numbers as they are.
_FREE = (
    *NOT_COMPUTED,
    "objective",
    "data.num_workers",
    "trainer.threads",
    "trainer.checkpoint_interval",
)


def continued_config(config: TrainConfig, overrides: Sequence[str]) -> TrainConfig:
    """The configuration of a run that continues: its own, with what may be said anew.

    Args:
        config: The configuration as composed, with ``resume`` and ``run_dir``.
        overrides: The overrides it was composed with. None need be given again, but those that are must
            amount to the stored configuration.

    Raises:
        ConfigurationError: They do not, or what is stored is no configuration of this program.
    """
    stored = _stored_config(config)
    if stored is None:
        return config
    given = flatten(config.model_dump(mode="json"))
    kept = flatten(stored.model_dump(mode="json"))
    differing = sorted(
        k for k in given.keys() | kept.keys() if not concerns(k, _FREE) and given.get(k) != kept.get(k)
    )
    if differing and not all(concerns(override, _FREE) for override in overrides):
        raise ConfigurationError(_describe_differences(config, differing, given, kept))
    free = {key: value for key, value in config.model_dump().items() if key in _FREE}
    data = stored.data.model_copy(update={"num_workers": config.data.num_workers})
    anew = {name: getattr(config.trainer, name) for name in ("threads", "checkpoint_interval")}
    trainer = stored.trainer.model_copy(update=anew)
    return stored.model_copy(update=free | {"logger": config.logger, "data": data, "trainer": trainer})


def concerns(override: str, keys: Iterable[str]) -> bool:
    """Whether an override, or the key of one, sets one of some keys or something below one of them."""
    (key,) = keys_of_overrides([override])
    return any(key == one or key.startswith(f"{one}.") for one in keys)


def _stored_config(config: TrainConfig) -> TrainConfig | None:
    if config.run_dir is None or not (file := RunFolder(config.run_dir).config).exists():
        return None
    try:
        stored = RunFolder(config.run_dir).read_config()
        if DROPPED_KEY in stored["optimizer"]:
            raise ConfigurationError(
                f"the run in {config.run_dir} was begun by version 0.1.0, which trained otherwise "
                f"(optimizer.{DROPPED_KEY} is no more), so it cannot continue; train anew in another run_dir"
            )
        return TrainConfig.model_validate(stored, context={CONTEXT_KEY: config.plugins})
    except (OSError, yaml.YAMLError, ValidationError, KeyError, TypeError) as error:
        if isinstance(error, ValidationError) and (refusal := next(refusals(error), None)):
            raise refusal from None
        raise ConfigurationError(
            f"{file} is no configuration of this version of the program, so the run cannot continue; "
            f"train anew in another run_dir\n{error}"
        ) from None


def _describe_differences(
    config: TrainConfig, keys: Sequence[str], given: Mapping[str, Any], kept: Mapping[str, Any]
) -> str:
    lines = [f"  {key} = {given.get(key)}: the run has {kept.get(key)}" for key in keys]
    head = f"The run in {config.run_dir} was configured otherwise, and a run continues as it began:"
    tail = "Give no override but resume and run_dir to continue it, or another run_dir to train anew."
    return "\n".join([head, *lines, tail])
