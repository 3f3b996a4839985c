"""How well a belief over location tells what happened, and where a walk is."""

import torch
from torch import Tensor, nn
from torchmetrics import SumMetric
from torchmetrics.classification import BinaryAUROC

from tem_vae.data import Walks, classify_steps
from tem_vae.model import BeliefTrace
from tem_vae.scores.masked_means import Estimates, MaskedMeans


class BeliefScores(nn.Module):
    """Scores of a belief, each where what it needs is known.

    - ``slip_auroc``: how well the probability that an action was not what was recorded tells those that were
      not, once the percept that followed is known.
    - ``belief_entropy``: of the hypotheses, nats.
    - ``belief_evidence``: log p(x_t | past) by the weights of hypotheses, nats per percept.
    - ``location_error``: at revisits, from where a walk is to where the memory of greatest weight was made,
      in the unit of positions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slip_auroc = BinaryAUROC()
        self.means = MaskedMeans(["belief_entropy", "belief_evidence", "location_error"])
        self.slips = SumMetric()
        self.others = SumMetric()

    def update(self, walks: Walks, belief: BeliefTrace) -> None:
        """Score one batch."""
        self.means.update("belief_entropy", belief.entropy, walks.mask)
        self.means.update("belief_evidence", belief.log_evidence, walks.seen)
        happened = walks.truth and walks.truth.actions
        if happened is not None and not happened.is_floating_point():
            counted = walks.mask[:, 1:]
            slipped = (happened != walks.actions)[counted]
            self.slips.update(slipped.sum())
            self.others.update((~slipped).sum())
            self.slip_auroc.update(belief.wrong[counted], slipped.long())
        if walks.places is not None and walks.positions is not None:
            looked_at = belief.prior.heaviest.unsqueeze(-1).expand_as(walks.positions)
            distance = (walks.positions.gather(1, looked_at) - walks.positions).norm(dim=-1)
            self.means.update("location_error", distance, classify_steps(walks.places, walks.seen).revisit)

    def compute(self) -> dict[str, Tensor]:
        """Every score so far by name; NaN where there was nothing to score."""
        unknown = torch.tensor(torch.nan)
        both_kinds = self.slips.update_called and self.slips.compute() * self.others.compute() > 0
        return self._estimates().means | {"slip_auroc": self.slip_auroc.compute() if both_kinds else unknown}

    def standard_errors(self) -> dict[str, Tensor]:
        """Of every mean, over walks; NaN where there were fewer than two."""
        return self._estimates().standard_errors

    def _estimates(self) -> Estimates:
        estimates: Estimates = self.means.compute()
        return estimates
