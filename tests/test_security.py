"""What SECURITY.md promises of the command line and of what the package is built on."""

import pickle
import re
import tomllib
from pathlib import Path

import pytest
from refusals import Malformed, refuse

ROOT = Path(__file__).parents[1]


class Planted:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.mkdir, (self.folder,)


@pytest.mark.parametrize("script", ["train.py", "evaluate.py"])
def test_a_pickled_job_is_not_run(tmp_path: Path, script: str) -> None:
    (tmp_path / "job.pickle").write_bytes(pickle.dumps(Planted(tmp_path / "planted")))
    arguments = (f"--experimental-rerun={tmp_path / 'job.pickle'}",)
    case = Malformed("option", named="--experimental-rerun", arguments=arguments, script=script)
    refusal = refuse(case, tmp_path)
    assert refusal.faults(case) == []
    assert len(refusal.message.splitlines()) == 1
    assert not (tmp_path / "planted").exists()


def test_hydra_is_new_enough_to_refuse_dangerous_targets() -> None:
    """Versions before 1.3.8 know fewer of the callables that no configuration should name, or none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (hydra,) = (line for line in project["dependencies"] if line.startswith("hydra-core"))
    lowest = re.search(r">=(\d+)\.(\d+)\.(\d+)", hydra)
    assert lowest
    assert tuple(map(int, lowest.groups())) >= (1, 3, 8)


def test_the_page_names_files_that_are_there() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tem_vae|docs|scripts)/\S+\.\w+)`", page)
    assert len(named) >= 4
    assert [name for name in named if not (ROOT / name).exists()] == []
