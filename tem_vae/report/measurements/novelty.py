"""Does the null component tell new places from known ones?"""

from dataclasses import dataclass

import torch
from torchmetrics.functional.classification import binary_auroc

from tem_vae.arrays import FloatArray
from tem_vae.report.exploration import Exploration
from tem_vae.report.table import Table


@dataclass(frozen=True)
class Novelty:
    """The weight of the null component at moves.

    Attributes:
        first_visits: At moves into new places, (first visits,).
        known_links: At revisits over a link walked before, (moves,).
        zero_shot: At revisits over a link walked in neither direction, (moves,).
        auroc: Area under the ROC curve of first visits against all revisits; None if there are not both.
        walks: How many walks were scored.
    """

    first_visits: FloatArray
    known_links: FloatArray
    zero_shot: FloatArray
    auroc: float | None
    walks: int

    def tables(self) -> list[Table]:
        """Every move."""
        return [
            Table("novelty_first_visits", {"null weight": self.first_visits}),
            Table("novelty_known_links", {"null weight": self.known_links}),
            Table("novelty_zero_shot_links", {"null weight": self.zero_shot}),
        ]


def measure_novelty(exploration: Exploration) -> Novelty:
    """Gather the null weights of every move by its kind."""
    kinds, novelty = exploration.kinds, exploration.novelty
    auroc = None
    if kinds.first_visit.any() and kinds.revisit.any():
        auroc = float(binary_auroc(novelty[kinds.move], kinds.first_visit[kinds.move].long()))

    def at(steps: torch.Tensor) -> FloatArray:
        return novelty[steps].double().numpy()

    return Novelty(
        at(kinds.first_visit), at(kinds.known_link), at(kinds.zero_shot), auroc, walks=len(novelty)
    )
