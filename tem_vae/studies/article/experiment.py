"""The article's experiments, measured with one set of formulas and one seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tem_vae.seeding import seeded
from tem_vae.studies.article.formulas import Formulas, linear_embedding, uniform_embedding
from tem_vae.studies.article.printed import CODE_DIM, RANK, SCALE, TAU

_CHUNK = 2_000


@dataclass(frozen=True)
class Draws:
    """What is kept of n samples at one scale.

    Attributes:
        scale: The scale of the neighbourhood.
        squared_distance: Squared distances from the center, (n).
        log_prob: Log-probabilities in nats, with u computed from z, (n).
        cached_log_prob: Log-probabilities in nats, with the u that z was made from, (n).
    """

    scale: float
    squared_distance: Tensor
    log_prob: Tensor
    cached_log_prob: Tensor


@dataclass(frozen=True)
class Experiment:
    """One run of the article's experiments.

    Attributes:
        formulas: The formulas for the uniform E.
        linear_formulas: The formulas for the E that ``nn.Linear`` draws.
        origin: Many samples at scale 1, uniform E.
        near: A few samples at scale 0.1, uniform E.
        linear: A few samples at scale 1, E of ``nn.Linear``.
        squared_norm: ‖u‖²/M of standard normal u, as many as there are samples in ``origin``, (n).
        figures: The article's figures by name, except the shape of E†.
    """

    formulas: Formulas
    linear_formulas: Formulas
    origin: Draws
    near: Draws
    linear: Draws
    squared_norm: Tensor
    figures: dict[str, float]


def draw(formulas: Formulas, scale: float, count: int) -> Draws:
    """Draw samples in chunks, keeping only what the figures need."""
    parts = []
    for start in range(0, count, _CHUNK):
        z, u = formulas.sample(scale, min(_CHUNK, count - start))
        recomputed, cached = formulas.log_prob(z, scale), formulas.log_prob(z, scale, u=u)
        parts.append((formulas.squared_distance(z), recomputed, cached))
    return Draws(scale, *(torch.cat(column) for column in zip(*parts, strict=True)))


def run_experiment(
    make: Callable[[Tensor, float], Formulas], seed: int, samples: int, few: int
) -> Experiment:
    """Run every experiment of the article once.

    Args:
        make: Makes the formulas for an E and a tau.
        seed: The seed of E and of the samples. Two sets of formulas with the same seed see the same E and the
            same noise.
        samples: How many samples to draw where the article draws 100,000.
        few: How many samples to draw where the article draws 1,000.
    """
    with seeded(seed):
        formulas, linear = make(uniform_embedding(), TAU), make(linear_embedding(), TAU)
        raw_noise = torch.randn(few, RANK)
        origin, near = draw(formulas, 1.0, samples), draw(formulas, SCALE, few)
        linear_draws = draw(linear, 1.0, few)
        squared_norm = torch.randn(samples, RANK).square().mean(dim=-1)
    figures = (
        _inverse_figures(formulas)
        | _raw_figures(formulas, raw_noise)
        | _origin_figures(formulas, origin)
        | {"standard_normal_squared_norm_over_M_std": squared_norm.std().item()}
        | _near_figures(formulas, near)
        | _linear_figures(linear, linear_draws)
    )
    return Experiment(formulas, linear, origin, near, linear_draws, squared_norm, figures)


def _inverse_figures(formulas: Formulas) -> dict[str, float]:
    projector = formulas.right_inverse @ formulas.E
    identity = formulas.E @ formulas.right_inverse
    return {
        "diag_E_dagger_E_mean": projector.diagonal().mean().item(),
        "diag_E_dagger_E_std": projector.diagonal().std().item(),
        "abs_error_E_dagger_E_vs_identity_mean": (projector - torch.eye(CODE_DIM)).abs().mean().item(),
        "E_E_dagger_diagonal": identity.diagonal().mean().item(),
        "E_E_dagger_max_deviation": (identity - CODE_DIM / RANK * torch.eye(RANK)).abs().max().item(),
    }


def _raw_figures(formulas: Formulas, noise: Tensor) -> dict[str, float]:
    squared = formulas.squared_distance(noise @ formulas.right_inverse.mT)
    return {
        "raw_squared_distance_mean": squared.mean().item(),
        "raw_squared_distance_std": squared.std().item(),
    }


def _origin_figures(formulas: Formulas, draws: Draws) -> dict[str, float]:
    distance, log_prob = draws.squared_distance.double(), draws.log_prob.double()
    covariance = torch.cov(torch.stack([distance, log_prob]))
    return {
        "final_squared_distance_mean": distance.mean().item(),
        "final_squared_distance_std": distance.std().item(),
        "logdet_E": formulas.log_volume,
        "logp_mean": _scored_mean(formulas, draws),
        "logp_std": log_prob.std().item(),
        "logp_slope_against_squared_distance": (covariance[0, 1] / covariance[0, 0]).item(),
    }


def _near_figures(formulas: Formulas, draws: Draws) -> dict[str, float]:
    distance = draws.squared_distance.sqrt()
    difference = draws.log_prob - draws.cached_log_prob
    return {
        "distance_mean_at_scale_0.1": distance.mean().item(),
        "distance_std_at_scale_0.1": distance.std().item(),
        "logp_mean_at_scale_0.1": _scored_mean(formulas, draws),
        "logp_cached_minus_recomputed_abs_max": difference.abs().max().item(),
        "logp_cached_minus_recomputed_std": difference.std().item(),
    }


def _linear_figures(formulas: Formulas, draws: Draws) -> dict[str, float]:
    distance = draws.squared_distance.sqrt()
    return {
        "PseudoMetric_distance_mean_at_scale_1": distance.mean().item(),
        "PseudoMetric_distance_std_at_scale_1": distance.std().item(),
        "PseudoMetric_logp_mean": _scored_mean(formulas, draws),
    }


def _scored_mean(formulas: Formulas, draws: Draws) -> float:
    """The mean log-probability; NaN if the log-volume of the formulas is NaN."""
    return math.nan if math.isnan(formulas.log_volume) else draws.log_prob.double().mean().item()
