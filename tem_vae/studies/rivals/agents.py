"""Agents without a model, which know something that no model is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks, classify_steps
from tem_vae.scores.baselines import copy_agent, edge_agent, majority_agent, node_agent
from tem_vae.scores.positions import last_seen, nearest_earlier
from tem_vae.studies.rivals.contract import Forecast, NotApplicableError, Training, Trial


@dataclass(frozen=True)
class Agent:
    """One of the agents of `scores.baselines`, as a forecaster.

    Attributes:
        knows: The place; or where the links walked so far lead; or what was seen most; or what was seen last.
        n_classes: How many there are; None where percepts have none.
    """

    knows: Literal["places", "links", "majority", "last"]
    n_classes: int | None

    def forecast(self, walks: Walks) -> Forecast:
        """The class that it names at every step; where there are none, the percept."""
        if self.n_classes is None:
            return Forecast(percepts=self._repeat(walks))
        return Forecast(classes=self._name(walks, self.n_classes))

    def _name(self, walks: Walks, n_classes: int) -> Tensor:
        classes = walks.known("classes")
        kinds = classify_steps(walks.known("places"), walks.seen)
        match self.knows:
            case "places":
                return node_agent(classes, kinds, n_classes)
            case "links":
                return edge_agent(classes, kinds, n_classes)
            case "majority":
                return majority_agent(classes, n_classes)
            case "last":
                return copy_agent(classes)

    def _repeat(self, walks: Walks) -> Tensor:
        """The percept seen nearest to where it is, in the same place if possible, or the last one."""
        steps = (
            last_seen(walks.seen).clamp_min(0)
            if self.knows == "last"
            else nearest_earlier(walks.known("positions"), walks.seen, walks.places)
        )
        return walks.percepts[torch.arange(len(steps))[:, None], steps]


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
            NotApplicableError: Percepts have no classes, and the agent has nothing else to go by.
        """
        walks = config.data.build().train
        if walks.n_classes is None and self.knows in ("links", "majority"):
            raise NotApplicableError("agents that know links or majorities name classes")
        return Training(Agent(self.knows, walks.n_classes), [], 0.0, 0, 0)
