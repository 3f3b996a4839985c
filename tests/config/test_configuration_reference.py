"""docs/configuration.md is what the schema and conf/ say now."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from pydantic import Field

from tem_vae.config.command_line import CONF
from tem_vae.config.defaults import read_introduction, read_leaves
from tem_vae.config.evaluation import EvaluateConfig
from tem_vae.config.fields import Allowed, Section
from tem_vae.config.reference import (
    COMMAND,
    PAGE,
    allowed,
    parts,
    render,
    rows,
)
from tem_vae.config.training import TrainConfig

SCHEMAS: dict[str, type[Section]] = {"train": TrainConfig, "evaluate": EvaluateConfig}


def leaves_of(values: Any, key: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {key: values}
    return {
        inner: leaf
        for name, value in values.items()
        for inner, leaf in leaves_of(value, f"{key}.{name}".removeprefix(".")).items()
    }


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), f"{PAGE.name} is out of date; run {COMMAND}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_told_with_the_value_that_hydra_composes(name: str) -> None:
    told = {
        row.key: row.default.text
        for part in parts(SCHEMAS[name], read_leaves(CONF / f"{name}.yaml", CONF))
        if not part.choice
        for row in rows(part)
    }
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = leaves_of(OmegaConf.to_container(compose(name)))
    assert told.keys() == composed.keys()
    assert {key: OmegaConf.create(f"value: {text}").value for key, text in told.items() if text != "???"} == {
        key: value for key, value in composed.items() if value != "???"
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_a_meaning_and_every_default_a_reason(name: str) -> None:
    for part in parts(SCHEMAS[name], read_leaves(CONF / f"{name}.yaml", CONF)):
        for row in rows(part):
            assert row.meaning, row.key
            only_one = row.allowed == f"`{row.default.text}`"
            assert row.default.comment or only_one or row.default.text == "null", (
                f"{row.key}: say behind its value in conf/ why it is {row.default.text}"
            )


def test_what_can_be_chosen_instead_is_told_once() -> None:
    described = parts(TrainConfig, read_leaves(CONF / "train.yaml", CONF))
    chosen = [(part.key, part.choice) for part in described if part.choice]
    assert len(chosen) == len(set(chosen))
    choices = {choice for _, choice in chosen}
    assert {"data=torus", "data/percepts=symbols", "data/policy=runs", "model/encoder=identity"} <= choices


def constrained(**constraints: Any) -> Any:
    return Annotated[int, Field(**constraints)]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "true or false"),
        (Path, "path"),
        (list[str], "list of text"),
        (constrained(ge=2), "whole number ≥ 2"),
        (constrained(gt=0, lt=1), "whole number > 0 and < 1"),
        (constrained(ge=1) | None, "whole number ≥ 1, or `null`"),
        (Literal["a", "b"] | None, "`a`, `b`, or `null`"),
        (Annotated[tuple[int, int], Allowed("a pair")] | None, "a pair, or `null`"),
    ],
)
def test_what_is_allowed_is_told_in_words(annotation: Any, words: str) -> None:
    assert allowed(annotation) == words


def test_comments_are_read_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "base.yaml").write_text("a: 1e-3   # as small as can be\nb: {c: [1, 2]}\n")
    (tmp_path / "group" / "mine.yaml").write_text("# Mine.\n# All of it.\ndefaults:\n  - base\n\na: 2\n")
    leaves = read_leaves(tmp_path / "group" / "mine.yaml", tmp_path)
    assert leaves == {"group.a": ("2", ""), "group.b.c": ("[1, 2]", "")}
    assert read_leaves(tmp_path / "group" / "base.yaml", tmp_path)["group.a"].comment == "as small as can be"
    assert read_introduction(tmp_path / "group" / "mine.yaml") == "Mine. All of it."
