"""What a percept may be once its decoder has spoken: densities over the numbers of a percept."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import ContinuousBernoulli


class GaussianLikelihood(nn.Module):
    """Every number is normal around what the decoder says, with one deviation for all.

    Fixed, the deviation says what counts as a difference. A learned one shrinks to what the decoder cannot
    foresee, and the bound then chases what is irrelevant in the percepts.

    Args:
        noise: The deviation, in the unit of the percepts that encoder and decoder know; if learned, the
            first.
        learn: Whether it is learned.
    """

    def __init__(self, noise: float, learn: bool = False) -> None:
        super().__init__()
        self.fixed = None if learn else noise
        self.log_noise = nn.Parameter(torch.tensor(math.log(noise))) if learn else None

    @property
    def noise(self) -> Tensor:
        """The deviation."""
        return torch.tensor(self.fixed) if self.log_noise is None else self.log_noise.exp()

    def check_values(self, percepts: Tensor) -> None:
        """All numbers have a density."""

    def mean(self, outputs: Tensor) -> Tensor:
        """Expected percepts: what the decoder says."""
        return outputs

    def log_prob(self, percepts: Tensor, outputs: Tensor) -> Tensor:
        r"""Log density in nats, all constants included, (*, P), (*, P) -> (*).

        .. math:: \log p(x|z) = -\frac{\lVert x - \mu(Ez)\rVert^2}{2\sigma^2} - \frac P2\log(2\pi\sigma^2)
        """
        squared, numbers = (percepts - outputs).square().sum(dim=-1), percepts.shape[-1]
        if self.fixed is not None:
            return -0.5 * squared / self.fixed**2 - 0.5 * numbers * math.log(2 * math.pi * self.fixed**2)
        noise = self.noise
        return -0.5 * squared / noise.square() - numbers * (noise.log() + 0.5 * math.log(2 * math.pi))


class BernoulliLikelihood(nn.Module):
    """Every number is 0 or 1; the decoder gives its logit. For binary percepts."""

    def check_values(self, percepts: Tensor) -> None:
        """Check that numbers are 0 or 1; NaN stands for a missing percept.

        Raises:
            ValueError: One is neither.
        """
        _check(percepts, (percepts == 0) | (percepts == 1), "bernoulli", "to be 0 or 1")

    def mean(self, outputs: Tensor) -> Tensor:
        """Expected percepts: the probability of a 1."""
        return outputs.sigmoid()

    def log_prob(self, percepts: Tensor, outputs: Tensor) -> Tensor:
        """Log probability in nats, (*, P), (*, P) -> (*): Σ x ln p + (1 − x) ln(1 − p)."""
        percepts = percepts.expand_as(outputs)
        return -F.binary_cross_entropy_with_logits(outputs, percepts, reduction="none").sum(dim=-1)


class ContinuousBernoulliLikelihood(nn.Module):
    """Every number is in [0, 1], with a density C(p) p^x (1 − p)^(1 − x); the decoder gives the logit of p.

    For bytes, scaled to [0, 1]. The cross-entropy alone, without C, is no density there: a bound with it is
    none (Loaiza-Ganem & Cunningham 2019, "The continuous Bernoulli: fixing a pervasive error in variational
    autoencoders").
    """

    def check_values(self, percepts: Tensor) -> None:
        """Check that numbers are in [0, 1]; NaN stands for a missing percept.

        Raises:
            ValueError: One is not.
        """
        _check(percepts, (percepts >= 0) & (percepts <= 1), "continuous_bernoulli", "to be in [0, 1]")

    def mean(self, outputs: Tensor) -> Tensor:
        """Expected percepts, which are not p: p/(2p − 1) + 1/(2 artanh(1 − 2p))."""
        mean: Tensor = self._distribution(outputs).mean
        return mean

    def log_prob(self, percepts: Tensor, outputs: Tensor) -> Tensor:
        """Log density in nats, (*, P), (*, P) -> (*)."""
        density: Tensor = self._distribution(outputs).log_prob(percepts)
        return density.sum(dim=-1)

    @staticmethod
    def _distribution(outputs: Tensor) -> Any:  # torch leaves its methods untyped
        return ContinuousBernoulli(logits=outputs, validate_args=False)


def _check(percepts: Tensor, allowed: Tensor, kind: str, must: str) -> None:
    wrong = percepts[~allowed & ~percepts.isnan()]
    if len(wrong):
        raise ValueError(
            f"model.decoder.likelihood = {kind} needs the numbers of a percept {must}, but one is "
            f"{float(wrong[0]):.6g}; scale percepts, or use model.decoder.likelihood=gaussian"
        )
