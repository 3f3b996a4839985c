"""The dashboard's panels drawn from the histories of runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sweeps import REPOSITORY

from tem_vae.runs.folder import RunFolder
from tem_vae.runs.history import Series, extract_series
from tem_vae.sweeps.dashboard.drawing import draw_panels
from tem_vae.sweeps.dashboard.panels import SECTIONS, Panel

UPDATES = np.arange(100)


def series(*values: float) -> Series:
    return Series(np.arange(len(values)), np.array(values))


def test_a_color_a_run_and_a_line_style_a_scalar() -> None:
    panel = Panel("both", ("elbo/elbo", "elbo/validation_elbo"))
    runs = {
        "one": {"elbo/elbo": series(1, 2), "elbo/validation_elbo": series(3, 4)},
        "other": {"elbo/elbo": series(5, 6)},
    }
    figure = draw_panels([panel], runs)
    lines = figure.axes[0].get_lines()
    assert [list(line.get_ydata()) for line in lines] == [[1, 2], [3, 4], [5, 6]]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color()
    assert lines[0].get_linestyle() == lines[2].get_linestyle() != lines[1].get_linestyle()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["one", "other"]


def test_an_expression_takes_in_every_name_that_it_matches() -> None:
    run = {f"metric/sigma_E_{i:02d}": series(i) for i in range(1, 17)} | {"metric/other": series(0)}
    figure = draw_panels([Panel("spectrum", regex=r"metric/sigma_E_.*")], {"run": run})
    assert len(figure.axes[0].get_lines()) == 16


def test_what_the_first_updates_did_flattens_nothing() -> None:
    values = np.where(UPDATES < 2, -1e6, UPDATES / 100)
    figure = draw_panels([Panel("bound", ("elbo/elbo",))], {"run": {"elbo/elbo": Series(UPDATES, values)}})
    low, high = figure.axes[0].get_ylim()
    assert -1 < low < high < 2


def test_a_panel_without_values_says_so() -> None:
    figure = draw_panels([Panel("bound", ("elbo/elbo",))], {"run": {}})
    assert [text.get_text() for text in figure.axes[0].texts] == ["Nothing of this was logged."]


def test_histograms_are_left_to_wandb() -> None:
    figure = draw_panels(SECTIONS["neighborhood"], {"run": {}})
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert not any("Distances" in title for title in titles)


class TestScript:
    @staticmethod
    def draw(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/draw_panels.py", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    @pytest.fixture
    def run_dir(self, tmp_path: Path) -> Path:
        (tmp_path / "history.csv").write_text("update,elbo/elbo,elbo/kl\n9,-80.5,\n19,-75.0,3.5\n")
        return tmp_path

    def test_it_writes_a_picture(self, run_dir: Path) -> None:
        picture = run_dir / "panels.png"
        drawn = self.draw(str(run_dir), "--sections", "elbo", "--output", str(picture))
        assert drawn.returncode == 0, drawn.stderr
        assert picture.read_bytes().startswith(b"\x89PNG")

    def test_a_folder_that_is_no_run_is_refused(self, tmp_path: Path) -> None:
        refused = self.draw(str(tmp_path), "--output", str(tmp_path / "panels.png"))
        assert refused.returncode == 2
        assert f"there is no history.csv in {tmp_path}" in refused.stderr

    def test_every_scalar_of_a_history_is_read(self, run_dir: Path) -> None:
        scalars = extract_series(RunFolder(run_dir).read_history())
        assert {name: list(one.values) for name, one in scalars.items()} == {
            "elbo/elbo": [-80.5, -75.0],
            "elbo/kl": [3.5],
        }
