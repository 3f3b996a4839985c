"""The page tells what compiling brings; without a compiler that is said at once."""

import sys
from argparse import ArgumentParser

import pytest

from tem_vae.studies.benchmarks.compiled import Compiled, add_arguments, render, run


def test_the_page_has_a_row_for_every_part() -> None:
    page = render([Compiled("memory prior", 60.4, 50.2, 1.2, 31.0)])
    assert "| memory prior | 60 ms | 50 ms | × 1.20 | 31 s |" in page


def test_a_missing_compiler_is_named_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    parser = ArgumentParser()
    add_arguments(parser)
    with pytest.raises(SystemExit, match="install g\\+\\+, or name one in the variable CXX"):
        run(parser.parse_args([]))


def test_a_part_is_one_of_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser(sys.executable)
    add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--part", "nothing"])
    assert "whole bound" in capsys.readouterr().err
