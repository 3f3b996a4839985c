"""The script's exit status, and that the committed report is complete."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from tem_vae.studies.article.checks import Verdict
from tem_vae.studies.article.printed import PRINTED
from tem_vae.studies.article.run import Reproduction

ROOT = Path(__file__).resolve().parents[3]
REPORT = ROOT / "docs" / "article" / "report.md"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "reproduce_article", ROOT / "scripts" / "reproduce_article.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_status_is_0_and_the_report_written_where_every_check_passes(
    script: ModuleType, reproduction: Reproduction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "reproduce", lambda effort: reproduction)
    monkeypatch.setattr(sys, "argv", ["reproduce_article.py", "--output", str(tmp_path / "new")])
    assert script.main() == 0
    assert "Every check passed." in (tmp_path / "new" / "report.md").read_text(encoding="utf-8")


def test_status_is_1_and_the_failure_named_where_a_check_fails(
    script: ModuleType,
    reproduction: Reproduction,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = replace(reproduction, checks=[replace(reproduction.checks[0], verdict=Verdict.FAILED)])
    monkeypatch.setattr(script, "reproduce", lambda effort: broken)
    monkeypatch.setattr(sys, "argv", ["reproduce_article.py", "--output", str(tmp_path)])
    assert script.main() == 1
    assert "FAILED: E_dagger_shape" in capsys.readouterr().err


def test_committed_report_has_every_figure_and_plot() -> None:
    text = REPORT.read_text(encoding="utf-8")
    assert "Every check passed." in text
    assert all(figure.name in text for figure in PRINTED)
    plots = re.findall(r"\]\(([^)]+\.png)\)", text)
    assert len(plots) == 6
    assert all((REPORT.parent / plot).is_file() for plot in plots)
