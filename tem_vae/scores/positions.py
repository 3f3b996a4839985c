"""How well percepts of walks without classes are predicted, and where in the plane memory looks."""

from collections.abc import Iterator

import torch
from torch import Tensor

from tem_vae.data import Walks, classify_steps
from tem_vae.model import Prior
from tem_vae.scores.masked_means import Estimates, MaskedMeans

PREDICTED = ("decoded", "nearest", "copy", "reconstruction")
LOOKED_AT = ("retrieval", "nearest", "copy", "untrained")
_RETURNS_WITHIN = 0.5  # of the distance to the last position: there copying is much worse than remembering
_NUMBERS_AT_ONCE = 2**22


def r2_name(predictor: str, at_returns: bool) -> str:
    """The name of the R² of a predictor at all steps, or at returns."""
    return f"{predictor}_r2{'_at_returns' if at_returns else ''}"


def distance_name(predictor: str, at_returns: bool) -> str:
    """The name of the mean distance to where a predictor looks, at all steps, or at returns."""
    return f"{predictor}_distance{'_at_returns' if at_returns else ''}"


class PositionScores(MaskedMeans):
    """R² of predicted percepts, and the distance from the walker to where the heaviest memory was made.

    R² is 1 − Σ ‖x_t − prediction‖² / Σ ‖x_t − mean‖², with the mean of the percepts of the same walk and both
    sums over the same steps of all walks. Scored are steps with an earlier percept, and among them *returns*.
    Where places are known, these are moves into a place seen earlier, and the nearest earlier step is one at
    that place: what is seen may depend on more than the position, such as the heading. Where places are not
    known, they are steps whose nearest earlier position is at most half as far as the last one. Elsewhere to
    copy the last percept is nearly as good as to remember.

    Without positions there is no nearest earlier step and no distance, and without places, too, no return.
    Walks with classes are scored by accuracies instead.
    """

    def __init__(self) -> None:
        both = (False, True)
        names = [r2_name(p, returns) for p in PREDICTED for returns in both]
        names += [distance_name(p, returns) for p in LOOKED_AT for returns in both]
        super().__init__([*names, "returns_share"])

    def update_walks(
        self, walks: Walks, percepts: Tensor, predicted: dict[str, Tensor], priors: dict[str, Prior]
    ) -> None:
        """Score one batch.

        Args:
            walks: What happened.
            percepts: The percepts in the unit in which errors count, (batch, time, *percept_shape).
            predicted: By predictor, what each step was expected to show, in the same unit and shape.
            priors: By predictor, that of which the heaviest memory is where it looks.
        """
        if walks.classes is not None:
            return
        seen = walks.seen
        last = last_seen(seen)
        scored = seen & (last >= 0)
        looked_at = {"copy": last.clamp_min(0)}
        distances: dict[str, Tensor] = {}
        if walks.positions is not None:
            looked_at["nearest"] = nearest_earlier(walks.positions, seen, walks.places)
            looking = looked_at | {name: prior.heaviest for name, prior in priors.items()}
            distances = {name: _distance(walks.positions, steps) for name, steps in looking.items()}
        steps = {False: scored}
        if (returns := _returns(walks, scored, distances)) is not None:
            steps[True] = returns
            self.update("returns_share", returns.float(), scored)
        vectors = percepts.flatten(2)
        predicted = {name: prediction.flatten(2) for name, prediction in predicted.items()}
        predicted |= {name: _gather(vectors, earlier) for name, earlier in looked_at.items()}
        variance = (vectors - _mean(vectors, seen)).square().sum(dim=-1)
        errors = {name: (vectors - prediction).square().sum(dim=-1) for name, prediction in predicted.items()}
        for at_returns, counted in steps.items():
            for name, error in errors.items():
                self.update(r2_name(name, at_returns), error, counted, wholes=variance)
            for name, distance in distances.items():
                self.update(distance_name(name, at_returns), distance, counted)

    def compute(self) -> Estimates:
        """The scores so far with their standard errors; NaN where nothing was scored."""
        ratios = super().compute()
        means = {name: 1 - mean if "_r2" in name else mean for name, mean in ratios.means.items()}
        means = {name: torch.where(mean.isfinite(), mean, torch.nan) for name, mean in means.items()}
        return Estimates(means, ratios.standard_errors)


def _returns(walks: Walks, scored: Tensor, distances: dict[str, Tensor]) -> Tensor | None:
    """The steps that are returns, (batch, time); None where neither places nor positions are known."""
    if walks.places is not None:
        return classify_steps(walks.places, walks.seen).revisit
    if not distances:
        return None
    near = distances["nearest"] <= _RETURNS_WITHIN * distances["copy"]
    return scored & near & (distances["copy"] > 0)


def last_seen(seen: Tensor) -> Tensor:
    """The last step with a percept before each step, (batch, time); −1 where there is none.

    Example:
        >>> last_seen(torch.tensor([[True, False, True]]))
        tensor([[-1,  0,  0]])
    """
    steps = torch.arange(seen.shape[1], device=seen.device).expand(seen.shape)
    so_far = torch.where(seen, steps, -1).cummax(dim=1).values
    return torch.cat([torch.full_like(so_far[:, :1], -1), so_far[:, :-1]], dim=1)


def nearest_earlier(positions: Tensor, seen: Tensor, places: Tensor | None = None) -> Tensor:
    """Of the earlier steps with a percept the one made nearest, (batch, time); 0 where there is none.

    Args:
        positions: (batch, time, 2).
        seen: False at steps without a percept and at padding, (batch, time).
        places: (batch, time), where they are known: a step at the same place is nearer than any other.
    """
    time = positions.shape[1]
    steps = torch.arange(time, device=positions.device)
    found = []
    for first, last in _chunks(positions):
        squared = torch.cdist(
            positions[:, first:last], positions[:, :last], compute_mode="donot_use_mm_for_euclid_dist"
        )
        earlier = seen[:, None, :last] & (steps[:last] < steps[first:last, None])
        if places is not None:
            here = earlier & (places[:, first:last, None] == places[:, None, :last])
            earlier = torch.where(here.any(dim=-1, keepdim=True), here, earlier)
        found.append(squared.masked_fill(~earlier, torch.inf).argmin(dim=-1))
    return torch.cat(found, dim=1)


def _chunks(positions: Tensor) -> Iterator[tuple[int, int]]:
    """Rows of the (time, time) distances, few enough at once that memory is bounded."""
    batch, time = positions.shape[:2]
    rows = max(1, _NUMBERS_AT_ONCE // max(1, batch * time))
    for first in range(0, time, rows):
        yield first, min(time, first + rows)


def _distance(positions: Tensor, steps: Tensor) -> Tensor:
    """From the position of each step to that of another, (batch, time)."""
    return (positions - _gather(positions, steps)).square().sum(dim=-1).sqrt()


def _gather(vectors: Tensor, steps: Tensor) -> Tensor:
    """What stands at other steps, (batch, time, D)."""
    return vectors.gather(1, steps.unsqueeze(-1).expand(-1, -1, vectors.shape[-1]))


def _mean(vectors: Tensor, seen: Tensor) -> Tensor:
    """The mean of every walk over the steps with a percept, (batch, 1, D)."""
    total = torch.where(seen.unsqueeze(-1), vectors, 0).sum(dim=1, keepdim=True)
    return total / seen.sum(dim=1).clamp_min(1)[:, None, None]
