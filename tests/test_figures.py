"""docs/figures.md: its commands exist, and the pages say what it says that they do."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from hydra import initialize_config_dir

from tem_vae.config.command_line import CONF
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.launch import check_sweep
from tem_vae.config.training import TrainConfig
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.history import write_history
from tem_vae.studies.doubts.config import DoubtsConfig
from tem_vae.studies.rivals.config import CompareConfig

ROOT = Path(__file__).parents[1]
SPECIFICATION = importlib.util.spec_from_file_location("remake_figures", ROOT / "scripts/remake_figures.py")
assert SPECIFICATION
assert SPECIFICATION.loader
remake = importlib.util.module_from_spec(SPECIFICATION)
SPECIFICATION.loader.exec_module(remake)

SCHEMAS = {
    "scripts/train.py": ("train", TrainConfig),
    "scripts/evaluate.py": ("evaluate", EvaluateConfig),
    "scripts/compare.py": ("compare", CompareConfig),
    "scripts/measure_doubts.py": ("doubts", DoubtsConfig),
}
COMMANDS = sorted(set(re.findall(r"`(python [^`]+)`", remake.LIST.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_a_script_and_keys_that_there_are(command: str) -> None:
    _, script, *arguments = shlex.split(command)
    assert (ROOT / script).is_file()
    if script in SCHEMAS:
        overrides = [argument for argument in arguments if argument != "-m"]
        with initialize_config_dir(str(CONF), version_base="1.3"):
            check_sweep(overrides, *SCHEMAS[script])
    elif arguments and "-" not in arguments[0]:
        assert f'"{arguments[0]}": ' in (ROOT / script).read_text(encoding="utf-8")
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert f'"{option}"' in (ROOT / script).read_text(encoding="utf-8")


@pytest.mark.parametrize("figure", remake.read_figures(), ids=str)
def test_every_page_says_what_the_list_says(figure: remake.Figure) -> None:
    words = re.sub(r"\s+", " ", (remake.DOCS / figure.page).read_text(encoding="utf-8"))
    assert figure.says in words
    assert figure.command in remake.read_commands()
    shown = {figure.value, f"{100 * float(figure.value):g}"}
    assert shown & set(re.findall(r"[-\d.]*\d", figure.says))


def test_a_figure_is_compared_to_the_last_digit_that_is_shown(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write_metrics({"test/elbo": -71.124})
    write_history(run.history, {9: {"elbo/kl": 3.0}})
    score = remake.Figure("a.md", "-71.12 nats", "-71.12", "a", "test/elbo", None)
    assert score.find(run) == -71.124
    assert score.agrees(-71.124)
    assert not score.agrees(-71.14)
    assert not score.agrees(None)
    assert remake.Figure("a.md", "3.0", "3.0", "a", "elbo/kl", 10).find(run) == 3.0


def test_the_list_is_not_empty() -> None:
    assert len(remake.read_figures()) > 10
    assert len(COMMANDS) > 15
