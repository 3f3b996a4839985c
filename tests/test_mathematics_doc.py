"""docs/mathematics.md is held to the code: each numbered formula is evaluated against it."""

import importlib
import inspect
import math
import pydoc
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tem_vae.geometry import Neighborhood, NeighborhoodMixture, Pseudometric, factorize
from tem_vae.geometry.euclidean import pairwise_squared_distance
from tem_vae.model import (
    ActionSlips,
    Belief,
    ElboTerms,
    GaussianLikelihood,
    IdentityEncoder,
    MemoryPrior,
    MlpDecoder,
    MlpEncoder,
    PathIntegrator,
    TemVae,
    importance_weighted_bound,
)
from tem_vae.model.hypotheses import Draws
from tem_vae.model.prototypes import Emission
from tem_vae.model.stratified import stratified_choice
from tem_vae.model.walk_prior import log_memory_weights
from tem_vae.studies.article import published
from tem_vae.studies.article.calibration import squared_distance_spread
from tem_vae.studies.article.theory import published_mean_squared_distance

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
M, N, TAU, SCALE = 4, 7, 0.3, 0.6


def section(title: str) -> str:
    return TEXT.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines[2:]]


FORMULAS = {int(row[0].strip("()")): (row[2], row[3]) for row in table("Where each formula is")}
MAPPING = table("From the article to this project")


@pytest.fixture
def case() -> SimpleNamespace:
    """A small E in float64, its rows far from orthonormal, and what plain algebra makes of it."""
    torch.manual_seed(0)
    E = torch.randn(M, N, dtype=torch.float64)
    gram = E @ E.mT
    inverse = torch.linalg.solve(E.mT @ E + TAU * torch.eye(N), E.mT)
    shrinkage = E @ inverse
    calibration = 1 / shrinkage.square().sum().sqrt()
    volume = 0.5 * torch.logdet((calibration * inverse).mT @ (calibration * inverse))
    center = torch.randn(N, dtype=torch.float64)
    factorization = factorize(E, TAU)
    return SimpleNamespace(
        E=E,
        gram=gram,
        inverse=inverse,
        shrinkage=shrinkage,
        calibration=calibration,
        volume=volume,
        center=center,
        factorization=factorization,
        neighborhood=Neighborhood(center, SCALE, factorization),
        whiten=lambda z: torch.linalg.solve(shrinkage, E) @ z / calibration,
    )


def model() -> TemVae:
    torch.manual_seed(0)
    metric = Pseudometric(N, M, TAU, normalize=True)
    metric.weight.data += 0.3 * torch.randn(M, N)
    decoder = MlpDecoder(M, hidden_dim=5, percept_shape=(N,), likelihood=GaussianLikelihood(0.7))
    memory = MemoryPrior(N, SCALE, initial_precision=3.0, prototypes=3)
    integrator = PathIntegrator(n_actions=3, channels=6, initial_rotation=1.0)
    return TemVae(IdentityEncoder((N,)), metric, integrator, memory, decoder, SCALE).double().eval()


def walk(steps: int = 5) -> tuple[Tensor, Tensor]:
    return torch.randn(1, steps, N, dtype=torch.float64), torch.randint(0, 3, (1, steps - 1))


def check_distance(case: SimpleNamespace) -> None:
    metric = Pseudometric(N, M, TAU).double()
    a, b = torch.randn(2, N, dtype=torch.float64)
    torch.testing.assert_close(metric.distance(a, b), (metric.weight @ (a - b)).norm())


def check_all_pairs(case: SimpleNamespace) -> None:
    a, b = torch.randn(3, M, dtype=torch.float64), torch.randn(5, M, dtype=torch.float64)
    expected = (a[:, None] - b).square().sum(-1)
    torch.testing.assert_close(pairwise_squared_distance(a, b), expected)


def check_right_inverse(case: SimpleNamespace) -> None:
    torch.testing.assert_close(case.factorization.right_inverse, case.inverse)
    small = case.E.mT @ torch.linalg.inv(case.gram + TAU * torch.eye(M))
    torch.testing.assert_close(case.inverse, small)


def check_shrinkage(case: SimpleNamespace) -> None:
    left, sigma, _ = torch.linalg.svd(case.E, full_matrices=False)
    expected = left @ torch.diag(sigma**2 / (sigma**2 + TAU)) @ left.mT
    torch.testing.assert_close(case.factorization.shrinkage, expected)


def check_sample(case: SimpleNamespace) -> None:
    z, u = case.neighborhood.rsample_with_u((3,))
    expected = case.center + SCALE * case.calibration * u @ case.inverse.mT
    torch.testing.assert_close(z, expected)


def check_calibration(case: SimpleNamespace) -> None:
    torch.testing.assert_close(case.factorization.calibration, case.calibration)


def check_published_mean(case: SimpleNamespace) -> None:
    published = math.sqrt(2) / 2 * (M / N) ** 2
    expected = published**2 * (N / M) ** 2 * M
    assert published_mean_squared_distance(M, N) == pytest.approx(expected)


def check_spread(case: SimpleNamespace) -> None:
    eigenvalues = torch.linalg.eigvalsh(case.shrinkage)
    variance = 2 * eigenvalues.pow(4).sum() / eigenvalues.square().sum().square()
    assert squared_distance_spread(case.shrinkage) == pytest.approx(math.sqrt(variance))


def check_log_density(case: SimpleNamespace) -> None:
    z, u = case.neighborhood.rsample_with_u((3,))
    found = case.neighborhood.log_prob(z)
    noise = Normal(0.0, 1.0).log_prob(u).sum(-1)
    torch.testing.assert_close(found, noise - M * math.log(SCALE) - case.volume)
    basis, triangle = torch.linalg.qr(SCALE * case.calibration * case.inverse)
    dense = MultivariateNormal(torch.zeros(M, dtype=torch.float64), triangle @ triangle.mT)
    torch.testing.assert_close(found, dense.log_prob((z - case.center) @ basis))


def check_log_volume(case: SimpleNamespace) -> None:
    regularised = case.gram + TAU * torch.eye(M)
    expected = M * case.calibration.log() + 0.5 * torch.logdet(case.gram) - torch.logdet(regularised)
    torch.testing.assert_close(expected, case.volume)
    torch.testing.assert_close(case.factorization.log_volume, case.volume)


def check_entropy(case: SimpleNamespace) -> None:
    triangle = torch.linalg.qr(SCALE * case.calibration * case.inverse).R
    dense = MultivariateNormal(torch.zeros(M, dtype=torch.float64), triangle @ triangle.mT)
    torch.testing.assert_close(case.neighborhood.entropy(), dense.entropy())


def check_whitened(case: SimpleNamespace) -> None:
    z, u = case.neighborhood.rsample_with_u()
    torch.testing.assert_close(case.factorization.whiten(z), case.whiten(z))
    torch.testing.assert_close((case.whiten(z) - case.whiten(case.center)) / SCALE, u)


def check_whitening(case: SimpleNamespace) -> None:
    sigma = torch.linalg.svdvals(case.E)
    found = torch.linalg.svdvals(case.calibration * case.factorization.whitening)
    torch.testing.assert_close(found, (sigma + TAU / sigma).sort(descending=True).values)


def check_kl(case: SimpleNamespace) -> None:
    other = torch.randn(N, dtype=torch.float64)
    q, p = (Neighborhood(c, s, case.factorization) for c, s in ((case.center, SCALE), (other, 1.4)))
    dense_q = MultivariateNormal(case.whiten(case.center), SCALE**2 * torch.eye(M, dtype=torch.float64))
    dense_p = MultivariateNormal(case.whiten(other), 1.4**2 * torch.eye(M, dtype=torch.float64))
    torch.testing.assert_close(kl_divergence(q, p), kl_divergence(dense_q, dense_p))


def check_mixture(case: SimpleNamespace) -> None:
    components = Neighborhood(torch.randn(3, N, dtype=torch.float64), SCALE, case.factorization)
    null = Neighborhood(case.center, 1.4, case.factorization)
    log_weights = torch.randn(2, 4, dtype=torch.float64).log_softmax(-1)
    z = torch.randn(2, N, dtype=torch.float64)
    each = torch.cat([null.log_prob(z)[:, None], components.log_prob(z[:, None])], dim=-1)
    found = NeighborhoodMixture(log_weights, components, null).log_prob(z)
    torch.testing.assert_close(found, (log_weights + each).logsumexp(-1))


def check_gauge(case: SimpleNamespace) -> None:
    metric = Pseudometric(N, M, TAU, normalize=True).double()
    metric.weight.data.mul_(5.0)
    torch.testing.assert_close(metric.E, math.sqrt(M) * metric.weight / metric.weight.norm())
    codes = MlpEncoder(percept_shape=(3,), hidden_dim=8, code_dim=N).double()(torch.randn(5, 3).double())
    torch.testing.assert_close(codes.square().sum(-1), torch.full((5,), float(N)).double(), rtol=1e-2, atol=0)


def check_path_integration(case: SimpleNamespace) -> None:
    integrator = model().integrator
    _, actions = walk()
    phases = torch.zeros(5, 6, dtype=torch.float64)
    for step, action in enumerate(actions[0]):
        phases[step + 1] = phases[step] + integrator.rotations[action]
    expected = torch.cat([phases.cos(), phases.sin()], dim=-1) / math.sqrt(6)
    torch.testing.assert_close(integrator(actions)[0], expected)


def check_distance_of_places(case: SimpleNamespace) -> None:
    memory = model().memory
    memory.background_logit.data.fill_(-torch.inf)
    phases = torch.randn(5, 6, dtype=torch.float64)
    codes = torch.cat([phases.cos(), phases.sin()], dim=-1) / math.sqrt(6)
    squared = 2 / 6 * (1 - (phases[-1] - phases[:-1]).cos()).sum(-1)
    seen = torch.ones(1, 5, dtype=torch.bool)
    prior = memory(codes[None], torch.zeros(1, 5, N).double(), case.factorization, seen)
    found = prior.log_weights[0, -1, 1:5]
    torch.testing.assert_close(found - found[0], -0.5 * (squared - squared[0]) * memory.precision)


def there_and_anywhere(codes: Tensor, z: Tensor, case: SimpleNamespace) -> tuple[Tensor, Tensor]:
    """p_s(z_t), (1, time, time), and p_0(z_t), (1, time), for codes and z of shape (1, time, N)."""
    memory = model().memory
    prototypes = memory.prototypes
    assert prototypes is not None
    kinds = Neighborhood(prototypes.centers, memory.null_scale, case.factorization).log_prob(z[:, :, None])
    own = Neighborhood(codes[:, None], memory.memory_scale, case.factorization).log_prob(z[:, :, None])
    next_kinds = kinds_of(codes, case) @ prototypes.transition_logits.softmax(-1)
    rho = prototypes.own_logit.sigmoid()
    there = rho * own.exp() + (1 - rho) * torch.einsum("bsj,btj->bts", next_kinds, kinds.exp())
    return there, (prototypes.share_logits.softmax(0) * kinds.exp()).sum(-1)


def kinds_of(codes: Tensor, case: SimpleNamespace) -> Tensor:
    """r(c), (1, time, J)."""
    memory = model().memory
    prototypes, whiten = memory.prototypes, case.factorization.whiten
    assert prototypes is not None
    squared = torch.cdist(whiten(codes), whiten(prototypes.centers)) ** 2
    sharpness = prototypes.log_sharpness.exp() / (2 * memory.null_scale**2)
    return (prototypes.share_logits - sharpness * squared).softmax(-1)


def emission(codes: Tensor, case: SimpleNamespace) -> Emission:
    memory = model().memory
    assert memory.prototypes is not None
    return memory.prototypes(case.factorization.whiten(codes), memory.null_scale, case.factorization)


def check_memory_prior(case: SimpleNamespace) -> None:
    memory = model().memory
    codes, z = torch.randn(2, 1, 3, N, dtype=torch.float64)
    prior = memory(torch.randn(1, 3, 12).double(), codes, case.factorization, torch.ones(1, 3) > 0)
    there, anywhere = there_and_anywhere(codes, z, case)
    own = Neighborhood(codes[:, None], memory.memory_scale, case.factorization).log_prob(z[:, :, None]).exp()
    weights = prior.log_weights.exp()
    null = (memory.null_logit - 0.3 * memory.precision).exp()
    steps = torch.arange(3).clamp_min(1)[:, None]
    shares = memory.background_logit.exp() / null * weights[..., :1] / steps * torch.ones(3, 3).tril(-1)
    expected = weights[..., 0] * anywhere
    expected = expected + ((weights[..., 1:] - shares) * there + shares * own).sum(-1)
    torch.testing.assert_close(prior.log_prob(z), expected.log())
    torch.testing.assert_close(prior.novelty, weights[..., 0] + shares.sum(-1))


def check_memory_weights(case: SimpleNamespace) -> None:
    memory = model().memory
    near, count = -torch.rand(1, 1, 4).double(), torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    null = torch.exp(memory.null_logit - 0.3 * memory.precision)
    weights = near[0, 0, :3].exp() + memory.background_logit.exp() / 3
    expected = torch.cat([null[None], weights, torch.zeros(1)]) / (null + weights.sum())
    found = log_memory_weights(near, count, memory.background_logit, null.log())
    torch.testing.assert_close(found[0, 0].exp(), expected)


def check_what_a_place_shows(case: SimpleNamespace) -> None:
    codes, z = torch.randn(2, 1, 3, N, dtype=torch.float64)
    said = emission(codes, case)
    kinds = said.prototypes.log_prob(z[:, :, None])
    there, anywhere = there_and_anywhere(codes, z, case)
    torch.testing.assert_close((said.log_shares + kinds).logsumexp(-1), anywhere.log())
    own = Neighborhood(codes[:, None], model().memory.memory_scale, case.factorization)
    of_kinds = (said.expected[:, None].log() + kinds[:, :, None]).logsumexp(-1)
    found = torch.logaddexp(said.log_own + own.log_prob(z[:, :, None]), said.log_other + of_kinds)
    torch.testing.assert_close(found, there.log())


def check_kinds_of_percepts(case: SimpleNamespace) -> None:
    codes = torch.randn(1, 3, N, dtype=torch.float64)
    prototypes = model().memory.prototypes
    assert prototypes is not None
    expected = kinds_of(codes, case) @ prototypes.transition_logits.softmax(-1)
    torch.testing.assert_close(emission(codes, case).expected, expected)


def check_bound(case: SimpleNamespace) -> None:
    vae, (percepts, actions) = model(), walk()
    inference = vae.infer(percepts, actions)
    z, u = inference.posterior.rsample_with_u()
    terms = vae.evaluate_sample(percepts, inference, z, u)
    decoded = vae.decoder.log_prob(percepts, z @ vae.metric.E.mT)
    expected = decoded + inference.prior.log_prob(z) - inference.posterior.log_prob(z)
    torch.testing.assert_close(terms.elbo, expected)
    assert isinstance(terms, ElboTerms)


def check_decoder(case: SimpleNamespace) -> None:
    decoder = model().decoder
    percepts, embedded = torch.randn(3, N).double(), torch.randn(3, M).double()
    expected = Normal(decoder(embedded), 0.7).log_prob(percepts).sum(-1)
    torch.testing.assert_close(decoder.log_prob(percepts, embedded), expected)


def check_importance_weighted_bound(case: SimpleNamespace) -> None:
    log_ratios = torch.randn(8, 2, 3, dtype=torch.float64)
    torch.testing.assert_close(importance_weighted_bound(log_ratios), log_ratios.exp().mean(0).log())


def check_decoder_reads_embedded_codes_only(case: SimpleNamespace) -> None:
    vae, (percepts, actions) = model(), walk()
    inference = vae.infer(percepts, actions)
    z, u = inference.posterior.rsample_with_u()
    projector = torch.linalg.pinv(vae.metric.E) @ vae.metric.E
    moved = z + 10 * torch.randn_like(z) @ (torch.eye(N) - projector)
    before, after = (vae.evaluate_sample(percepts, inference, at, u) for at in (z, moved))
    torch.testing.assert_close(after.reconstruction, before.reconstruction)
    torch.testing.assert_close(after.log_prior, before.log_prior)


def check_what_may_have_happened(case: SimpleNamespace) -> None:
    vae, (percepts, recorded) = model(), walk(4)
    belief = Belief(ActionSlips(3, 0.4).double(), hypotheses=27, samples=1)
    told = vae.infer(percepts, recorded)
    torch.manual_seed(1)
    found = vae.believe(belief, percepts, recorded, told).log_evidence.sum()
    torch.manual_seed(1)
    draws, factorization = Draws(percepts.device), told.posterior.factorization
    samples = [vae.sample(belief, percepts[:, t], told.codes[:, t], factorization, draws) for t in range(4)]
    whitened = torch.stack([of_step.whitened[:, 0] for of_step in samples], dim=1)
    log_ratios = torch.stack([of_step.log_ratios[:, 0] for of_step in samples], dim=1)
    total = []
    for path in product(range(3), repeat=3):
        happened = torch.tensor([path])
        log_prior = vae.infer(percepts, happened).prior.log_prob_whitened(whitened)
        total.append(belief.slips.log_prob(happened, recorded).sum() + (log_ratios + log_prior).sum())
    torch.testing.assert_close(found, torch.stack(total).logsumexp(0))


def check_which_hypotheses_are_kept(case: SimpleNamespace) -> None:
    weights = torch.tensor([[0.6, 0.2, 0.15, 0.05]], dtype=torch.float64)
    # 0.6 is kept for sure, and the others share one place: c = 0.4.
    for _ in range(20):
        index, kept = stratified_choice(weights.log(), 2)
        torch.testing.assert_close(kept.exp(), torch.tensor([[0.6, 0.4]], dtype=torch.float64))
        assert index[0, 0] == 0


CHECKS: dict[int, Callable[[SimpleNamespace], None]] = {
    1: check_distance,
    2: check_all_pairs,
    3: check_right_inverse,
    4: check_shrinkage,
    5: check_sample,
    6: check_calibration,
    7: check_published_mean,
    8: check_spread,
    9: check_log_density,
    10: check_log_volume,
    11: check_entropy,
    12: check_whitened,
    13: check_whitening,
    14: check_kl,
    15: check_mixture,
    16: check_gauge,
    17: check_path_integration,
    18: check_distance_of_places,
    19: check_memory_prior,
    20: check_memory_weights,
    21: check_what_a_place_shows,
    22: check_kinds_of_percepts,
    23: check_bound,
    24: check_decoder,
    25: check_importance_weighted_bound,
    26: check_decoder_reads_embedded_codes_only,
    27: check_what_may_have_happened,
    28: check_which_hypotheses_are_kept,
}


def test_every_numbered_formula_is_in_the_table_and_checked() -> None:
    numbered = [int(number) for number in re.findall(r"\\tag\{(\d+)\}", TEXT)]
    assert numbered == list(range(1, len(numbered) + 1))
    assert list(FORMULAS) == numbered
    assert list(CHECKS) == numbered


@pytest.mark.parametrize("number", FORMULAS)
def test_the_named_file_defines_the_name(number: int) -> None:
    path, name = FORMULAS[number]
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    owner = getattr(module, name.split(".")[0])
    assert Path(inspect.getsourcefile(owner) or "").resolve() == ROOT / path
    assert all(hasattr(owner, attribute) for attribute in name.split(".")[1:])


@pytest.mark.parametrize("number", CHECKS)
def test_the_formula_is_what_the_code_computes(number: int, case: SimpleNamespace) -> None:
    with torch.no_grad():
        CHECKS[number](case)


def test_every_function_of_the_article_is_mapped() -> None:
    assert sorted(row[0] for row in MAPPING) == sorted(published.__all__)


@pytest.mark.parametrize("counterpart", sorted({row[1] for row in MAPPING}))
def test_the_counterpart_of_an_article_function_exists(counterpart: str) -> None:
    owner, _, attribute = counterpart.rpartition(".")
    located = pydoc.locate(owner)
    assert located is not None
    assert hasattr(located, attribute)


def test_links_lead_somewhere() -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\((?!http)([^)#][^)]*)\)", TEXT)]
    assert links
    assert all((ROOT / "docs" / link).exists() for link in links)
