"""The floors of the building: each imports only from floors listed before it, and no files go in a circle."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import tem_vae

ROOT = Path(tem_vae.__file__).parent
FLOORS = [
    "errors",
    "arrays",
    "seeding",
    "text",
    "reading",
    "geometry",
    "worlds",
    "runs",
    "data",
    "model",
    "scores",
    "config",
    "report",
    "evaluation",
    "training",
    "sweeps",
    "studies",
]
FOR_EVERYBODY = {"errors", "arrays", "seeding", "text", "reading"}
MODULES = sorted(
    path.relative_to(ROOT) for path in ROOT.rglob("*.py") if path.name != "__init__.py" or path.parent != ROOT
)


def dotted(module: Path) -> str:
    return ".".join(("tem_vae", *module.with_suffix("").parts)).removesuffix(".__init__")


NAMES = {dotted(module): module for module in MODULES}


def floor_of(name: str) -> str:
    return name.split(".")[1]


def imported_names(module: Path) -> set[str]:
    """Whatever a file imports from the package, inside functions too: `package.name` for every name."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("tem_vae.")}


def home_of(name: str) -> str:
    """The file that defines an imported name: re-exports of an ``__init__`` are followed."""
    if name in NAMES:
        return name
    package, _, member = name.rpartition(".")
    if NAMES[package].name != "__init__.py":
        return package
    for inner in imported_names(NAMES[package]):
        if inner.rpartition(".")[2] == member:
            return home_of(inner)
    return package


IMPORTS = {name: {home_of(inner) for inner in imported_names(module)} for name, module in NAMES.items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_floor_imports_only_from_floors_before_it(name: str) -> None:
    floor = floor_of(name)
    allowed = set(FLOORS[: FLOORS.index(floor) + 1])
    through = {floor_of(inner) for inner in imported_names(NAMES[name])}
    assert {floor_of(inner) for inner in IMPORTS[name]} | through <= allowed


def test_no_files_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_the_files_for_everybody_import_nothing_of_the_package() -> None:
    assert all(not IMPORTS[f"tem_vae.{name}"] for name in FOR_EVERYBODY)


@pytest.mark.parametrize("floor", ["geometry", "worlds", "data", "model"])
def test_the_lower_floors_know_no_lightning(floor: str) -> None:
    for path in (ROOT / floor).rglob("*.py"):
        assert "lightning" not in path.read_text().lower(), path


def test_the_picture_in_the_docs_shows_these_floors() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.split("```mermaid")[1].split("```")[0]
    floors = [floor for floor in FLOORS if floor not in FOR_EVERYBODY]
    boxes = re.findall(r"^    (\w+)\[\"(.*?)<br>", picture, re.MULTILINE)
    assert boxes == [
        ("everybody", "errors · arrays · seeding · text · reading"),
        *((floor, floor) for floor in floors),
    ]
    arrows = re.findall(r"(\w+) --> (\w+)", picture)
    assert arrows == list(zip(floors, ["everybody", *floors[:-1]], strict=True))


def test_every_link_of_the_page_leads_somewhere() -> None:
    page = ROOT.parent / "docs" / "architecture.md"
    links = re.findall(r"\]\((\.\./[^)]+|[a-z_]+\.md)\)", page.read_text(encoding="utf-8"))
    assert len(links) > 20
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_worlds_know_no_torch() -> None:
    for path in (ROOT / "worlds").rglob("*.py"):
        assert "torch" not in path.read_text(), path


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 320} == {}
