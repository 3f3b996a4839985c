"""Agents without a model, which know something that no model is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, classify_steps
from tem_vae.scores.baselines import copy_agent, edge_agent, majority_agent, node_agent
from tem_vae.studies.rivals.contract import Forecast, NotApplicableError, Training, Trial


@dataclass(frozen=True)
class Agent:
    """One of the agents of `scores.baselines`, as a forecaster.

    Attributes:
        knows: The place; or where the links walked so far lead; or what was seen most; or what was seen last.
        n_classes: How many there are.
    """

    knows: Literal["places", "links", "majority", "last"]
    n_classes: int

    def forecast(self, walks: Walks) -> Forecast:
        """The class that it names at every step."""
        return Forecast(classes=self._name(walks))

    def _name(self, walks: Walks) -> Tensor:
        classes = walks.known("classes")
        kinds = classify_steps(walks.known("places"), walks.seen)
        match self.knows:
            case "places":
                return node_agent(classes, kinds, self.n_classes)
            case "links":
                return edge_agent(classes, kinds, self.n_classes)
            case "majority":
                return majority_agent(classes, self.n_classes)
            case "last":
                return copy_agent(classes)


@dataclass(frozen=True)
class AgentRival:
    """An agent as a rival: nothing is trained."""

    title: str
    knows: Literal["places", "links", "majority", "last"]
    source: str = "scores/baselines.py"
    size: str = "none"
    own_walks: bool = False
    trials: Sequence[Trial] = (Trial(0.0, 0),)

    def train(self, config: TrainConfig, trial: Trial, budget: float) -> Training:
        """Nothing.

        Raises:
            NotApplicableError: Percepts have no classes.
        """
        walks = config.data.build().train
        if walks.n_classes is None:
            raise NotApplicableError("agents name classes")
        return Training(Agent(self.knows, walks.n_classes), [], 0.0, 0, 0)
