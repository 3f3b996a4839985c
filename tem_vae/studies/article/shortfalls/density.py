"""What is wrong with the article's log-determinant and log-probability."""

import math

import torch
from torch import Tensor

from tem_vae.geometry import factorize
from tem_vae.studies.article import published
from tem_vae.studies.article.dense import DenseReference, published_log_volume
from tem_vae.studies.article.formulas import PublishedFormulas, linear_embedding
from tem_vae.studies.article.printed import CODE_DIM, PRINTED_LOGDET, RANK, SCALE, TAU
from tem_vae.studies.article.rounding import RoundingStudy
from tem_vae.studies.article.shortfalls.shortfall import Shortfall
from tem_vae.studies.article.theory import standard_log_prob_law

_SAMPLES = 4_000


def density_shortfalls(uniform: Tensor, linear: Tensor, rounding: RoundingStudy) -> list[Shortfall]:
    """Measure the shortfalls of the density.

    Args:
        uniform: An E with uniform entries, (M, N).
        linear: An E as ``nn.Linear`` draws it, (M, N).
        rounding: The published log-determinant for many seeds.
    """
    reference = DenseReference(uniform, TAU)
    u = torch.randn(_SAMPLES, RANK, dtype=torch.float64)
    z = factorize(uniform, TAU).spread(u)
    return [
        _rounding(rounding),
        _missing_factor(uniform, reference),
        _sign(reference, z, u),
        _scale(reference, z),
        _module_log_prob(),
        _always_negative(reference, z),
        _recovered_noise(linear),
        _scale_per_sample(uniform),
    ]


def _rounding(rounding: RoundingStudy) -> Shortfall:
    is_number = ~rounding.published.isnan()
    numbers, exact = rounding.published[is_number], rounding.published_exact
    found = f", else {numbers.min():.1f} to {numbers.max():.1f}" if len(numbers) else ""
    return Shortfall(
        article=f"log-determinant of the N×N matrix EᵀE/β² + τI in float32 = {PRINTED_LOGDET:.2f}",
        truth="N − M of its eigenvalues are τ, below the float32 rounding of the others",
        measured=f"float32 over {len(exact)} seeds: NaN for {rounding.nan_count}{found}; the same formula in "
        f"float64: {exact.min():.2f} to {exact.max():.2f}",
        confirmed=bool(((numbers - exact[is_number]).abs() > 1e3).all()),
    )


def _missing_factor(E: Tensor, reference: DenseReference) -> Shortfall:
    gram_part = published_log_volume(E, TAU) - 0.5 * (CODE_DIM - RANK) * math.log(TAU)
    true = -reference.log_volume.item()
    excess = gram_part - true
    missing = RANK * math.log(CODE_DIM / RANK)
    return Shortfall(
        article="the determinant has β but not the factor N/M of the rebalanced inverse",
        truth="its M×M part is M log(N/M) too large",
        measured=f"M×M part {gram_part:.2f}, true log-volume {true:.2f} (dense), difference "
        f"{excess:.2f}; M log(N/M) = {missing:.2f}",
        confirmed=abs(excess - missing) < 0.01,
    )


def _sign(reference: DenseReference, z: Tensor, u: Tensor) -> Shortfall:
    standard = -0.5 * u.square().sum(-1) - RANK / 2 * math.log(2 * math.pi)
    offset = reference.log_prob(z, scale=1.0) - standard
    added, subtracted = ((offset + sign * reference.log_volume).abs() for sign in (1, -1))
    return Shortfall(
        article="log p(z) = log p(u) − logdet",
        truth="p(z) = p(u)·|det ∂u/∂z|, so the log-volume of the map from z to u is added",
        measured=f"largest distance from the dense density in nats: added {added.max():.0e}, subtracted "
        f"{subtracted.max():.0f}",
        confirmed=added.max().item() < 1e-3 and subtracted.min().item() > 1e3,
    )


def _scale(reference: DenseReference, z: Tensor) -> Shortfall:
    difference = (reference.log_prob(SCALE * z, SCALE) - reference.log_prob(z, 1.0)).mean().item()
    expected = -RANK * math.log(SCALE)
    published = -PRINTED_LOGDET * (1 / SCALE**2 - 1)
    return Shortfall(
        article="the scale enters as logdet/ε²",
        truth="it enters as −M log ε",
        measured=f"from ε = 1 to {SCALE} at the same u, in nats: dense {difference:+.2f}, −M log ε "
        f"{expected:+.2f}, published {published:+.0f}",
        confirmed=abs(difference - expected) < 1e-3 and abs(published - expected) > 1e3,
    )


def _module_log_prob() -> Shortfall:
    standard = standard_log_prob_law(RANK).mean
    embeddings = [linear_embedding() for _ in range(6)]
    published = [standard - published_log_volume(E, TAU) for E in embeddings]
    true = [standard - DenseReference(E, TAU).log_volume.item() for E in embeddings]
    return Shortfall(
        article="mean log-probability +2419 with the weights of nn.Linear",
        truth="sign, factor and the N − M eigenvalues τ as above",
        measured=f"over {len(embeddings)} seeds: published formula in float64 {min(published):.1f} to "
        f"{max(published):.1f}, dense reference {min(true):.1f} to {max(true):.1f}",
        confirmed=min(published) > 2400 and max(true) < 100,
    )


def _always_negative(reference: DenseReference, z: Tensor) -> Shortfall:
    lowest = reference.log_prob(z, scale=1.0).min().item()
    return Shortfall(
        article="the log-probability is always negative",
        truth="a density has a unit and may exceed 1",
        measured=f"dense reference at scale 1: at least {lowest:.0f} nats for every one of {len(z):,} "
        "samples",
        confirmed=lowest > 0,
    )


def _recovered_noise(E: Tensor) -> Shortfall:
    published = {tau: _published_recovery_error(E, tau) for tau in (TAU, 0.1, 1.0)}
    ours = max(_our_recovery_error(E, tau) for tau in published)
    shown = ", ".join(f"{error:.2g} at τ = {tau:g}" for tau, error in published.items())
    return Shortfall(
        article="u is recovered as √2(N/M)E(z − z₀)/ε",
        truth="that forgets the shrinkage: u = S⁻¹E(z − z₀)/(βε)",
        measured="weights of nn.Linear, spread of recomputed minus cached log-probability in nats: "
        f"{shown}; ours at most {ours:.0e}",
        confirmed=published[0.1] > 1 and ours < 1e-3,
    )


def _published_recovery_error(E: Tensor, tau: float) -> float:
    z, u = PublishedFormulas(E, tau).sample(1.0, _SAMPLES)
    zero = torch.zeros(())
    recomputed = published.rank_deficient_logprob(z, zero, E=E)
    return (recomputed - published.rank_deficient_logprob(z, zero, u=u)).std().item()


def _our_recovery_error(E: Tensor, tau: float) -> float:
    factorization = factorize(E, tau)
    u = torch.randn(_SAMPLES, RANK)
    recovered = factorization.whiten(factorization.spread(u))
    return (0.5 * (recovered.square() - u.square()).sum(dim=-1)).std().item()


def _scale_per_sample(E: Tensor) -> Shortfall:
    count = 5
    z, u, scale = torch.randn(count, CODE_DIM), torch.randn(count, RANK), torch.ones(count)
    log_prob = published.rank_deficient_logprob_from_reference(
        z, torch.zeros(()), torch.zeros(CODE_DIM), scale, E=E, u=u
    )
    return Shortfall(
        article="each of S samples may have a scale of its own",
        truth="the last term then is (S, 1) against (S), and the log-probability (S, S)",
        measured=f"S = {count}: shape {tuple(log_prob.shape)}",
        confirmed=log_prob.shape == (count, count),
    )
