"""Which walks a trained model is scored on."""

import textwrap
from collections.abc import Mapping

from tem_vae.config.evaluation import EvaluationDataConfig
from tem_vae.config.fields import flatten
from tem_vae.config.percepts import PerceptsConfig
from tem_vae.config.problems import validate
from tem_vae.config.training import (
    BlankShare,
    DataConfig,
    HeldOutConfig,
)
from tem_vae.config.worlds import PolicyConfig
from tem_vae.errors import ConfigurationError
from tem_vae.worlds import ActionMismatchError, check_actions


class WalkPlan(HeldOutConfig):
    """A fixed set of walks with all that decides it.

    Attributes:
        percepts: What places look like.
        policy: How worlds are walked.
        blank: The share of places that are blank.
    """

    percepts: PerceptsConfig
    policy: PolicyConfig
    blank: BlankShare


def plan_walks(trained_on: DataConfig, config: EvaluationDataConfig) -> WalkPlan:
    """What a run was tested on, with whatever an evaluation says differently.

    Raises:
        ConfigurationError: The result is no valid configuration, or its worlds have actions that the run was
            not trained with, or its percepts are none that the run can be tested on.
    """
    tested_on = trained_on.test.model_dump() | {"blank": trained_on.blank}
    changes = config.model_dump(exclude_none=True) | {
        "world": config.world.override(trained_on.test.world),
        "policy": config.policy.override(trained_on.policy),
        "percepts": config.percepts.override(trained_on.percepts),
    }
    plan = validate(tested_on | changes, WalkPlan, flatten(config.model_dump(exclude_none=True)))
    try:
        check_actions(plan.world.actions, known=trained_on.world.actions)
    except ActionMismatchError as error:
        raise ConfigurationError(f"data.world: {error}") from None
    plan.percepts.check_replaces(trained_on.percepts)
    return plan


def check_same(plans: Mapping[str, WalkPlan]) -> None:
    """Models are compared on the same walks only.

    Args:
        plans: By the name of the model.

    Raises:
        ConfigurationError: Naming every key in which the plans differ.
    """
    settings = {name: flatten({"data": plan.model_dump()}) for name, plan in plans.items()}
    keys = dict.fromkeys(key for setting in settings.values() for key in setting)
    differing = [
        f"  {key}: {', '.join(f'{_brief(setting.get(key))} in {name}' for name, setting in settings.items())}"
        for key in keys
        if len({repr(setting.get(key)) for setting in settings.values()}) > 1
    ]
    if differing:
        raise ConfigurationError(
            "The runs were tested on different walks, where their scores cannot be compared:\n"
            + "\n".join(differing)
            + "\nSay which walks to compare them on, as in data.walk_length=1000."
        )


def _brief(value: object) -> str:
    """Graphs would fill the screen."""
    return textwrap.shorten(str(value), 60, placeholder=" ...")
