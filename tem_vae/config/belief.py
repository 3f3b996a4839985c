"""The part of the schema about the belief over location."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, model_validator

from tem_vae.config.fields import Section
from tem_vae.config.networks import WalkShape

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.model import Belief

Hypotheses = Annotated[int, Field(ge=1, le=4_096)]
SlipRate = Annotated[float, Field(gt=0, lt=1)]
Persistence = Annotated[float, Field(ge=0, lt=1)]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class BeliefConfig(Section):
    """Hypotheses about what happened where an action was recorded."""

    hypotheses: Hypotheses = Field(
        description="K, how many are followed at once; with 1 what was recorded is what happened."
    )
    slip_rate: SlipRate = Field(
        description="Share of recorded numbered actions first taken to be replaced by any; it is learned."
    )
    motion_noise: Deviation = Field(
        description="Deviation of recorded real-valued actions from what happened, at first; it is learned. "
        "In the unit of actions."
    )
    persistence: Persistence = Field(
        description="Probability that a numbered action goes on for another step, at first; it is learned. "
        "With 0 steps are independent, and it is not learned."
    )
    samples: int = Field(
        ge=1,
        le=4_096,
        description="Posterior samples that tell how well a hypothesis foresees a percept.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_numbered_actions(cls, values: Any) -> Any:
        """The first runs with a belief knew numbered actions only, each independent of the others."""
        return {"motion_noise": 0.1, "persistence": 0.0} | values if isinstance(values, dict) else values

    def build(self, walks: WalkShape) -> "Belief | None":
        """The belief about the actions of such walks; None where there is nothing to doubt."""
        if self.hypotheses == 1:
            return None
        from tem_vae.model import Belief, MotionNoise, numbered_slips

        if walks.n_actions is None:
            return Belief(MotionNoise(self.motion_noise), self.hypotheses, self.samples)
        slips = numbered_slips(walks.n_actions, self.slip_rate, self.persistence)
        return Belief(slips, self.hypotheses, self.samples)


class EvaluationBeliefConfig(Section):
    """How to doubt recorded actions in an evaluation; null keeps what the run had."""

    hypotheses: Hypotheses | None = Field(
        description="K, how many are followed at once; 1 takes what was recorded for what happened."
    )
    slip_rate: SlipRate | None = Field(
        description="Share of recorded actions taken to be replaced by any; null is what the run learned, "
        "or, if it had no doubts, an estimate from the walks."
    )
    motion_noise: Deviation | None = Field(
        description="Deviation of recorded real-valued actions from what happened, in their unit; null as of "
        "slip_rate."
    )
    persistence: Persistence | None = Field(
        description="Probability that a numbered action goes on for another step; null is what the run "
        "learned, or an estimate from the recorded actions; with 0 steps are independent."
    )
