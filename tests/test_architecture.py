"""The floors of the building: each imports only from floors listed before it."""

import ast
from pathlib import Path

import pytest

import tem_vae

ROOT = Path(tem_vae.__file__).parent
FLOORS = [
    "geometry",
    "article",
    "data",
    "model",
    "evaluation",
    "training",
    "experiments",
    "reproduction",
    "benchmarks",
]
COMPARISONS = {"reproduction", "benchmarks"}
MODULES = sorted(
    path.relative_to(ROOT) for path in ROOT.rglob("*.py") if path.name != "__init__.py" or path.parent != ROOT
)


def floor_of(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def imported_floors(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "tem_vae":
            names |= {f"tem_vae.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[1] for name in names if name.startswith("tem_vae.")}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_floor_imports_only_from_floors_before_it(module: Path) -> None:
    allowed = set(FLOORS[: FLOORS.index(floor_of(module)) + 1])
    if floor_of(module) not in COMPARISONS:
        allowed -= {"article"} - {floor_of(module)}
    assert imported_floors(module) <= allowed


@pytest.mark.parametrize("floor", ["geometry", "model"])
def test_the_lower_floors_know_no_lightning(floor: str) -> None:
    for path in (ROOT / floor).rglob("*.py"):
        assert "lightning" not in path.read_text().lower(), path


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 320} == {}
