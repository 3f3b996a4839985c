"""A run passes on the real formulas, fails on broken ones, and is reported in full."""

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import pytest

from tem_vae.studies.article.checks import Verdict
from tem_vae.studies.article.figure_table import print_table
from tem_vae.studies.article.plots import draw_plots
from tem_vae.studies.article.printed import PRINTED
from tem_vae.studies.article.report import render_report
from tem_vae.studies.article.run import Reproduction


def test_every_figure_and_shortfall_comes_out_as_it_should(reproduction: Reproduction) -> None:
    assert list(reproduction.failures()) == []
    verdicts = {check.figure.name: check.verdict for check in reproduction.checks}
    assert verdicts == {figure.name: Verdict.HOLDS if figure.holds else Verdict.WRONG for figure in PRINTED}


def test_every_kind_of_failure_is_named(reproduction: Reproduction) -> None:
    check, case, shortfall = reproduction.checks[3], reproduction.calibration[1], reproduction.shortfalls[2]
    broken = replace(
        reproduction,
        checks=[replace(check, verdict=Verdict.FAILED)],
        calibration=[replace(case, mean=2.0)],
        shortfalls=[replace(shortfall, confirmed=False)],
    )
    figure, calibration, claim = broken.failures()
    assert figure.startswith(check.figure.name)
    assert f"rank {case.rank}" in calibration
    assert shortfall.article in claim


def test_plots_and_report(reproduction: Reproduction, tmp_path: Path) -> None:
    captions = draw_plots(reproduction, tmp_path)
    assert len(captions) == 6
    for name in captions:
        pixels = matplotlib.image.imread(tmp_path / name)
        assert pixels.shape[0] > 300
        assert pixels.std() > 0.05, "the plot is blank"
    report = render_report(reproduction, captions)
    assert all(figure.name in report for figure in PRINTED)
    assert all(f"]({name})" in report for name in captions)
    for table in (block for block in report.split("\n\n") if block.startswith("| ")):
        widths = {line.replace("\\|", "").count("|") for line in table.strip().split("\n")}
        assert len(widths) == 1, table


def test_plots_are_drawn_the_same_twice(reproduction: Reproduction, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        draw_plots(reproduction, folder)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_table_shows_every_cell_where_output_is_no_terminal(
    reproduction: Reproduction, capsys: pytest.CaptureFixture[str]
) -> None:
    print_table(reproduction.checks)
    printed = capsys.readouterr().out
    assert printed.count("holds") == 19
    assert printed.count("wrong") == 4
    assert "…" not in printed
