"""The part of the schema about the belief over location."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from tem_vae.config.fields import Section
from tem_vae.config.networks import WalkShape

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.model import Belief

Hypotheses = Annotated[int, Field(ge=1, le=4_096)]
SlipRate = Annotated[float, Field(gt=0, lt=1)]


class BeliefConfig(Section):
    """Hypotheses about what happened where an action was recorded."""

    hypotheses: Hypotheses = Field(
        description="K, how many are followed at once; with 1 what was recorded is what happened."
    )
    slip_rate: SlipRate = Field(
        description="Share of recorded actions that are first taken to be replaced by any; it is learned."
    )
    samples: int = Field(
        ge=1,
        le=4_096,
        description="Posterior samples that tell how well a hypothesis foresees a percept.",
    )

    def build(self, walks: WalkShape) -> "Belief | None":
        """The belief about the actions of such walks; None where there is nothing to doubt.

        Raises:
            ValueError: Their actions are real-valued.
        """
        if self.hypotheses == 1:
            return None
        from tem_vae.model import ActionSlips, Belief

        return Belief(ActionSlips(self.count(walks), self.slip_rate), self.hypotheses, self.samples)

    def count(self, walks: WalkShape) -> int:
        """How many actions may have happened.

        Raises:
            ValueError: The actions are real-valued.
        """
        if walks.n_actions is None:
            raise ValueError(
                f"model.belief.hypotheses = {self.hypotheses} needs numbered actions, and those of the data "
                f"are vectors of {walks.action_dim} numbers; use model.belief.hypotheses=1"
            )
        return walks.n_actions


class EvaluationBeliefConfig(Section):
    """How to doubt recorded actions in an evaluation; null keeps what the run had."""

    hypotheses: Hypotheses | None = Field(
        description="K, how many are followed at once; 1 takes what was recorded for what happened."
    )
    slip_rate: SlipRate | None = Field(
        description="Share of recorded actions taken to be replaced by any; null is what the run learned, "
        "or, if it had no doubts, an estimate from the walks."
    )
