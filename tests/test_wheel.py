"""What a user who installs the package gets: everything but the studies."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of the package in its wheel, by name, with their text."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "tem_vae", folder / "tem_vae", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-c", BUILD, str(folder / "dist")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith("tem_vae/")]
        return {name: archive.read(name).decode("utf-8") for name in names}


def test_everything_is_shipped_but_the_studies(shipped: dict[str, str]) -> None:
    package = (path for path in (ROOT / "tem_vae").rglob("*") if path.is_file())
    files = {path.relative_to(ROOT).as_posix() for path in package if "__pycache__" not in path.parts}
    studies = {name for name in files if name.startswith("tem_vae/studies/")}
    assert studies
    assert set(shipped) == files - studies


def test_types_and_templates_are_shipped(shipped: dict[str, str]) -> None:
    assert "tem_vae/py.typed" in shipped
    assert any(name.endswith(".html") for name in shipped)


def test_nothing_that_is_shipped_needs_the_studies(shipped: dict[str, str]) -> None:
    assert [name for name, text in shipped.items() if "tem_vae.studies" in text] == []
