"""What is wrong with the article's inverse, its distance and its precision."""

import math

import torch
from torch import Tensor

from tem_vae.geometry import factorize
from tem_vae.studies.article import published
from tem_vae.studies.article.dense import DenseReference, inverse_from_large_system
from tem_vae.studies.article.formulas import PublishedFormulas, uniform_embedding
from tem_vae.studies.article.printed import CODE_DIM, RANK, TAU
from tem_vae.studies.article.shortfalls.shortfall import Shortfall

_SAMPLES = 500


def inverse_shortfalls(uniform: Tensor) -> list[Shortfall]:
    """Measure the shortfalls of the inverse, for an E with uniform entries, (M, N)."""
    reference = DenseReference(uniform, TAU)
    return [
        _large_system(uniform),
        _noise_in_kernel(uniform, reference),
        _projector(uniform),
        _double_precision(uniform, reference),
        _single_precision_gram(),
        _gradient(uniform),
    ]


def _large_system(E: Tensor) -> Shortfall:
    error = _relative_error(factorize(E.double(), TAU).right_inverse, inverse_from_large_system(E, TAU))
    return Shortfall(
        article="(EᵀE + τI)⁻¹Eᵀ from an N×N system",
        truth="the same matrix is Eᵀ(EEᵀ + τI)⁻¹, from an M×M one",
        measured=f"relative difference in float64 {error:.0e}",
        confirmed=error < 1e-8,
    )


def _noise_in_kernel(E: Tensor, reference: DenseReference) -> Shortfall:
    shares = {tau: _share_in_kernel(E, tau) for tau in (TAU, 1e-4, 1e-6)}
    ours = _relative_error(factorize(E, TAU).right_inverse, reference.right_inverse)
    shown = ", ".join(f"{share:.0%} at τ = {tau:g}" for tau, share in shares.items())
    return Shortfall(
        article="the N×N system is solved in float32",
        truth="its condition number is σ²/τ: rounding leaves noise in ker E, where EE† and every distance "
        "are blind",
        measured=f"share of a sample's length that lies in ker E, where it should be 0: {shown}; relative "
        f"error of our float32 E† {ours:.0e}",
        confirmed=shares[TAU] > 0.01 and shares[1e-6] > 0.5 and ours < 1e-6,
    )


def _share_in_kernel(E: Tensor, tau: float) -> float:
    z = PublishedFormulas(E, tau).sample(1.0, _SAMPLES)[0].double()
    basis = torch.linalg.qr(E.double().mT).Q
    return float((z - z @ basis @ basis.mT).norm() / z.norm())


def _projector(E: Tensor) -> Shortfall:
    factorization = factorize(E.double(), 0.0)
    projector = factorization.right_inverse @ factorization.embedding
    defect = (projector @ projector - projector).abs().max().item()
    distance = (projector - torch.eye(CODE_DIM)).norm().item()
    identity = factorization.embedding @ factorization.right_inverse - torch.eye(RANK)
    error = identity.abs().max().item()
    expected = math.sqrt(CODE_DIM - RANK)
    return Shortfall(
        article="the distance of E†E from I_N is the error of the inverse",
        truth="E†E is a projector of rank M, always √(N−M) from I_N; EE† = I_M is the identity to check",
        measured=f"τ = 0: |P² − P| {defect:.0e}, ‖P − I‖_F {distance:.3f} (√(N−M) = {expected:.3f}), |EE† − "
        f"I| {error:.0e}",
        confirmed=defect < 1e-10 and abs(distance - expected) < 1e-6 and error < 1e-10,
    )


def _double_precision(E: Tensor, reference: DenseReference) -> Shortfall:
    rebalanced = reference.right_inverse * (CODE_DIM / reference.shrinkage.trace())
    error = _relative_error(published.stable_left_inverse(E.double(), TAU), rebalanced)
    return Shortfall(
        article="the inverse is returned in the dtype of E",
        truth="it is computed in float32 all the same",
        measured=f"relative error of the float64 inverse: {error:.1g}",
        confirmed=error > 1e-3,
    )


def _single_precision_gram() -> Shortfall:
    size, seeds = 512, 6
    embeddings = [uniform_embedding(size, size).double() for _ in range(seeds)]
    noise = torch.randn(size, dtype=torch.float64)
    single, double = ([_log_density_error(E, noise, dtype) for E in embeddings] for dtype in _PRECISIONS)
    return Shortfall(
        article="float32 throughout",
        truth="M×M work needs float64 where E is near singular",
        measured=f"log-density from a Gram matrix, M = N = {size}, {seeds} seeds, error up to "
        f"{max(single):.2g} nats in float32, {max(double):.0e} in float64",
        confirmed=max(single) > 0.1 and max(double) < 1e-3,
    )


_PRECISIONS = (torch.float32, torch.float64)


def _log_density_error(E: Tensor, u: Tensor, dtype: torch.dtype) -> float:
    """The error in nats of the log-density of the sample made from u, if M×M matrices have this dtype."""
    left, sigma, right = torch.linalg.svd(E)
    shrinkage = sigma**2 / (sigma**2 + TAU)
    calibration = 1 / shrinkage.norm()
    z = right.mT @ (shrinkage / sigma * (left.mT @ u)) * calibration
    volume = len(u) * calibration.log() + (shrinkage / sigma).log().sum()
    exact = -0.5 * u.square().sum() - volume
    return abs(float(_log_density(E.to(dtype), z.to(dtype)) - exact))


def _log_density(E: Tensor, z: Tensor) -> Tensor:
    """The log-density at scale 1 with the origin as center, in nats, without its constant, in E's dtype."""
    gram = E @ E.mT
    regularised = gram + TAU * torch.eye(len(gram), dtype=gram.dtype)
    shrinkage: Tensor = torch.linalg.solve(regularised, gram)
    calibration = 1 / shrinkage.norm()
    u = torch.linalg.solve(shrinkage, E @ z) / calibration
    volume = len(E) * calibration.log() + 0.5 * torch.logdet(gram) - torch.logdet(regularised)
    log_density: Tensor = -0.5 * u.square().sum() - volume
    return log_density


def _gradient(E: Tensor) -> Shortfall:
    z = torch.zeros(CODE_DIM, requires_grad=True)
    distance = published.rank_deficient_pseudometric(z, torch.zeros(CODE_DIM), E)
    (gradient,) = torch.autograd.grad(distance, z)
    return Shortfall(
        article="d = √(d²)",
        truth="the root has no finite derivative at 0, so equal points poison every gradient",
        measured=f"gradient of the published distance at equal points: "
        f"{int(gradient.isnan().sum())} of {len(gradient)} entries are NaN",
        confirmed=bool(gradient.isnan().all()),
    )


def _relative_error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).norm() / exact.norm())
