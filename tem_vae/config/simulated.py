"""The part of the schema about walks that are drawn as they are needed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tem_vae.config.data import BuiltWalks, DataSection
from tem_vae.config.fields import Section
from tem_vae.config.networks import WalkShape
from tem_vae.config.percepts import PerceptsConfig
from tem_vae.config.worlds import PolicyConfig, WorldConfig
from tem_vae.worlds import ActionMismatchError, check_actions, renumber_actions

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import HeldOutWalks, PerceptSource, Policy
    from tem_vae.data.source import Split

BlankShare = Annotated[float, Field(ge=0, lt=1)]
SlipShare = Annotated[float, Field(ge=0, le=1)]


class HeldOutConfig(Section):
    """A fixed set of walks in worlds never met in training."""

    world: WorldConfig = Field(description="The worlds; their actions must be among those of training.")
    walk_length: int = Field(
        ge=2, le=100_000, description="Length of a walk, in walk steps, one percept each."
    )
    walks: int = Field(ge=1, le=100_000, description="How many walks, each in a world of its own.")
    seed: int = Field(ge=0, description="Decides worlds and walks; independent of the run's seed.")

    def build(
        self,
        percepts: "PerceptSource",
        policy: "Policy",
        blank: float,
        slips: float,
        split: "Split",
        actions: Sequence[str],
    ) -> "HeldOutWalks":
        """The walks, evaluated as many at once as keeps memory bounded.

        Args:
            percepts: What places look like.
            policy: How worlds are walked.
            blank: The share of places that are blank, in [0, 1).
            slips: The share of recorded actions that are replaced, in [0, 1].
            split: Which share of the percepts may be shown.
            actions: The names of the actions as the model numbers them.
        """
        from tem_vae.data import HeldOutWalks, SimulatedWalks, walks_at_once

        worlds = renumber_actions(self.world.build(), actions)
        source = SimulatedWalks(worlds, percepts, policy, split, 1, self.walk_length, blank, slips)
        at_once = walks_at_once(self.walks, self.walk_length)
        return HeldOutWalks(source, self.seed, self.walks, batch_size=at_once)


class SimulatedConfig(DataSection):
    """Walks in worlds that are drawn anew for every batch, filled with percepts of a source."""

    renamed: ClassVar = {"momentum": "policy.momentum"}

    kind: Literal["simulated"] = Field(description="Where walks come from.")
    world: WorldConfig = Field(description="The training worlds.")
    percepts: PerceptsConfig = Field(description="Where percepts come from.")
    policy: PolicyConfig = Field(description="How worlds are walked, in training, validation and test.")
    blank: BlankShare = Field(
        description="Share of places that hold the first class, and no other place does; 0 sets none apart."
    )
    slips: SlipShare = Field(
        description="Share of recorded actions that are replaced by one drawn evenly from all; walks stay as "
        "they are."
    )
    validation: HeldOutConfig = Field(description="The walks that choose the best checkpoint.")
    test: HeldOutConfig = Field(description="The walks of the closing table.")

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 0.1.0 had one kind of walker, ``momentum``, no blank places, and no slips."""
        values = {"slips": 0.0} | values
        if "momentum" not in values:
            return values
        policy = {"kind": "momentum", "momentum": values["momentum"]}
        others = {name: value for name, value in values.items() if name != "momentum"}
        return {"policy": policy, "blank": 0.0} | others

    @model_validator(mode="after")
    def _actions_are_known(self) -> Self:
        for name, held_out in (("validation", self.validation), ("test", self.test)):
            try:
                check_actions(held_out.world.actions, known=self.world.actions)
            except ActionMismatchError as error:
                raise ValueError(f"{name}.world: {error}") from None
        return self

    @property
    def walk_shape(self) -> WalkShape:
        """What a model must know of these walks."""
        return WalkShape(
            self.percepts.percept_shape,
            n_actions=len(self.world.actions),
            action_dim=None,
            standardize=False,  # percepts are drawn standardised
            raw=False,
        )

    @property
    def actions(self) -> tuple[str, ...]:
        """Those of the worlds."""
        return self.world.actions

    def build(self) -> BuiltWalks:
        """The walks that the section describes."""
        from tem_vae.data import SimulatedWalks

        percepts, policy, worlds = self.percepts.build(), self.policy.build(), self.world.build()
        shared = (percepts, policy, self.blank, self.slips)
        return BuiltWalks(
            SimulatedWalks(
                worlds,
                percepts,
                policy,
                "train",
                self.batch_size,
                self.walk_length,
                self.blank,
                self.slips,
            ),
            self.validation.build(*shared, "validation", worlds.actions),
            self.test.build(*shared, "test", worlds.actions),
        )

    def doubts(self) -> list[str]:
        """What speaks against training in the worlds of training."""
        return self.world.doubts()

    def build_percepts(self) -> "PerceptSource":
        """What draws percepts by class."""
        return self.percepts.build()

    def held_out_walks(self) -> dict[str, int]:
        """How many walks there are for validation and for test."""
        return {"validation": self.validation.walks, "test": self.test.walks}
