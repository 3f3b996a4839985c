"""Which walks a trained model is scored on."""

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from tem_vae.config.evaluation import EvaluationDataConfig
from tem_vae.config.fields import Section, flatten
from tem_vae.config.percepts import PerceptsConfig
from tem_vae.config.plugins import Roots
from tem_vae.config.problems import validate
from tem_vae.config.simulated import BlankShare, HeldOutConfig, SimulatedConfig, SlipShare
from tem_vae.config.walks import EvaluatedWalksConfig, WalksConfig
from tem_vae.config.worlds import PolicyConfig
from tem_vae.data import HeldOutWalks
from tem_vae.errors import ConfigurationError
from tem_vae.worlds import ActionMismatchError, check_actions

_ALWAYS = ("walk_length", "walks", "seed")
_OF_RECORDED = ("path", "split", "motion_noise")


class WalkPlan(Section, ABC):
    """A fixed set of walks with all that decides it."""

    @abstractmethod
    def build_walks(self, actions: Sequence[str]) -> HeldOutWalks:
        """The walks.

        Args:
            actions: The names of the actions as the model numbers them.
        """


class SimulatedPlan(HeldOutConfig, WalkPlan):
    """Walks that are drawn.

    Attributes:
        percepts: What places look like.
        policy: How worlds are walked.
        blank: The share of places that are blank.
        slips: The share of recorded actions that are replaced.
    """

    percepts: PerceptsConfig
    policy: PolicyConfig
    blank: BlankShare
    slips: SlipShare

    def build_walks(self, actions: Sequence[str]) -> HeldOutWalks:
        """The walks, actions numbered as the model numbers them."""
        return self.build(self.percepts.build(), self.policy.build(), self.blank, self.slips, "test", actions)


class _Plan(Section):
    """So that problems are named as on the command line."""

    data: SimulatedPlan
    plugins: Roots


class RecordedPlan(EvaluatedWalksConfig, WalkPlan):
    """Walks that were recorded."""

    def build_walks(self, actions: Sequence[str]) -> HeldOutWalks:
        """The walks; their actions have the numbers that the model knows."""
        return self.build(actions)


def plan_walks(
    trained_on: SimulatedConfig | WalksConfig,
    config: EvaluationDataConfig,
    may_open: bool = True,
    plugins: Sequence[str] = (),
) -> WalkPlan:
    """What a run was tested on, with whatever an evaluation says differently.

    Args:
        trained_on: What the run was configured with.
        config: What the evaluation says.
        may_open: Whether the file that the run names may be opened: not if it was a stranger who named it.
        plugins: The packages that classes may be imported from.

    Raises:
        ConfigurationError: The result is no valid configuration, or its walks have actions that the run was
            not trained with, or their percepts are none that the run can be tested on.
    """
    given = flatten(config.model_dump(exclude_none=True))
    if isinstance(trained_on, WalksConfig):
        _check_keys(given, (*_ALWAYS, *_OF_RECORDED), "recorded walks")
        return _plan_recorded(trained_on, config, may_open)
    others = set(EvaluationDataConfig.model_fields) - set(_OF_RECORDED)
    _check_keys(given, tuple(others), "walks that are drawn as they are needed")
    return _plan_simulated(trained_on, config, tuple(given), plugins)


def _check_keys(given: Mapping[str, object], allowed: Sequence[str], trained_on: str) -> None:
    """Keys for walks of another source."""
    wrong = sorted(f"data.{key}" for key in given if key.partition(".")[0] not in allowed)
    if wrong:
        raise ConfigurationError(
            f"{', '.join(wrong)}: the run was trained on {trained_on}, for which such a key means nothing; "
            f"allowed are {', '.join(sorted(f'data.{key}' for key in allowed))}"
        )


def _plan_simulated(
    trained_on: SimulatedConfig, config: EvaluationDataConfig, given: Sequence[str], plugins: Sequence[str]
) -> SimulatedPlan:
    tested_on = trained_on.test.model_dump() | {"blank": trained_on.blank, "slips": trained_on.slips}
    changes = config.model_dump(exclude_none=True, exclude=set(_OF_RECORDED)) | {
        "world": config.world.override(trained_on.test.world),
        "policy": config.policy.override(trained_on.policy),
        "percepts": config.percepts.override(trained_on.percepts),
    }
    keys = [f"data.{key}" for key in given]
    plan = validate({"data": tested_on | changes, "plugins": list(plugins)}, _Plan, keys).data
    try:
        check_actions(plan.world.actions, known=trained_on.world.actions)
    except ActionMismatchError as error:
        raise ConfigurationError(f"data.world: {error}") from None
    plan.percepts.check_replaces(trained_on.percepts)
    return plan


def _plan_recorded(trained_on: WalksConfig, config: EvaluationDataConfig, may_open: bool) -> RecordedPlan:
    if config.path is None and not may_open:
        raise ConfigurationError(
            f"the checkpoint names the walks in {trained_on.path}, and is not in a run of yours that says so "
            "too; say which walks to test on with data.path=PATH"
        )
    changes = config.model_dump(exclude_none=True, include={"path", "motion_noise", *_ALWAYS})
    split = trained_on.split.model_dump() | config.split.model_dump(exclude_none=True)
    if config.split.validation is None:
        split["validation"] = min(split["validation"], 1 - split["test"])
    tested_on = trained_on.test.model_dump() | {
        "path": trained_on.path,
        "split": split,
        "motion_noise": trained_on.motion_noise,
    }
    plan = validate(tested_on | changes, RecordedPlan)
    plan.check_replaces(trained_on)
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
