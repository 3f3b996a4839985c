"""The contenders do the same job, and a run reports every one of them."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tem_vae.geometry import factorize
from tem_vae.studies.benchmarks.geometry_jobs import ARTICLE, LOW_RANK, OURS, QUOTIENT, GeometryJobs
from tem_vae.studies.benchmarks.geometry_rivals import calibrated_inverse, quotient_factor

ROOT = Path(__file__).resolve().parents[3]
CPU = torch.device("cpu")


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark", ROOT / "scripts" / "benchmark.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def jobs() -> GeometryJobs:
    torch.manual_seed(0)
    return GeometryJobs(64, 8, CPU)


def test_every_contender_computes_and_has_finite_gradients(jobs: GeometryJobs) -> None:
    for prepare in jobs.by_name().values():
        for name, contender in prepare().items():
            assert contender.compute().numel() > 0
            gradients = contender.task("forward_backward")()
            assert isinstance(gradients, tuple)
            assert all(gradient.isfinite().all() for gradient in gradients), name


def test_rival_inverse_is_the_calibrated_one() -> None:
    E = torch.randn(8, 64)
    torch.testing.assert_close(calibrated_inverse(E, 0.1), factorize(E, 0.1).spreading, rtol=1e-3, atol=1e-6)


def test_rival_density_differs_from_ours_by_the_volume_of_the_embedding(jobs: GeometryJobs) -> None:
    contenders = jobs.recomputed_log_prob()
    difference = contenders[OURS].compute() - contenders[QUOTIENT].compute()
    # The law of E z is one on another space, of constant volume; codes far out lose digits in float32.
    assert difference.std().item() < 1e-3 * contenders[OURS].compute().abs().mean().item()


def test_rival_factor_gives_the_covariance_of_embedded_samples() -> None:
    E = torch.randn(8, 64)
    factorization = factorize(E, 0.1)
    embedded = E @ factorization.spreading
    factor = quotient_factor(E, 0.1)
    torch.testing.assert_close(factor @ factor.mT, embedded @ embedded.mT, rtol=1e-3, atol=1e-5)


def test_a_run_prints_and_writes_every_contender(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["geometry", "--sizes", "32x4", "--repeats", "1", "--output", str(tmp_path / "new")]
    monkeypatch.setattr(sys, "argv", ["benchmark.py", *arguments])
    script.main()
    printed = capsys.readouterr().out
    assert printed.strip() == (tmp_path / "new" / "geometry.md").read_text(encoding="utf-8").strip()
    results = json.loads((tmp_path / "new" / "geometry.json").read_text(encoding="utf-8"))
    assert {timing["contender"] for timing in results["timings"]} == {OURS, ARTICLE, LOW_RANK, QUOTIENT}
    assert {peak["direction"] for peak in results["peaks"]} == {"forward", "forward_backward"}
    assert all(timing["ratio"] == 1 for timing in results["timings"] if timing["contender"] == OURS)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--sizes", "64", "must be NxM with 1 <= M <= N"),
        ("--sizes", "8x64", "must be NxM with 1 <= M <= N"),
        ("--sizes", "axb", "must be NxM with 1 <= M <= N"),
        ("--repeats", "0", "must be a whole number of at least 1"),
        ("--device", "abacus", "'abacus' cannot be used"),
    ],
)
def test_an_impossible_option_is_refused_in_words(
    script: ModuleType,
    option: str,
    value: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "geometry", option, value])
    with pytest.raises(SystemExit) as exit_info:
        script.main()
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err
