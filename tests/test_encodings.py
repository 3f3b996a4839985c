"""Texts are read and written in UTF-8, whatever the locale of the machine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for name in ("tem_vae", "scripts", "examples") for path in (ROOT / name).rglob("*.py"))


# Files of numbers, of pixels, and members of archives.
OPEN_OTHERWISE = ("os", "Image", "archive")


def calls_without_encoding(source: str) -> Iterator[int]:
    """The lines in which a text file is opened, read or written in the encoding of the locale."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
        of = getattr(call.func, "value", None)
        owner = getattr(of, "id", None) or getattr(of, "attr", "")
        texts = [part.value for part in call.args if isinstance(part, ast.Constant)]
        binary = owner.strip("_") in OPEN_OTHERWISE or any("b" in str(text) for text in texts)
        has_encoding = "encoding" in {keyword.arg for keyword in call.keywords}
        if (name in ("read_text", "write_text") or (name == "open" and not binary)) and not has_encoding:
            yield call.lineno


def test_the_check_finds_what_it_looks_for() -> None:
    source = 'a.read_text()\nopen("x")\nopen("x", "rb")\na.open("w", encoding="utf-8")\nb.write_text("x")'
    assert list(calls_without_encoding(source)) == [1, 2, 5]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_file_has_an_encoding(path: Path) -> None:
    assert not list(calls_without_encoding(path.read_text(encoding="utf-8")))
