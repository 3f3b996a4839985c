import pytest

from tem_vae.evaluation import tables
from tem_vae.scores.prediction import AGENTS, MODEL, UNTRAINED, score_name

NAMES = [score_name(p, k) for p in (*MODEL, *AGENTS, UNTRAINED) for k in ("revisit", "zero_shot")]
BOUND = ("elbo", "iwae", "reconstruction", "kl", "predictive_gap")


def metrics(**known: float) -> dict[str, float | None]:
    """Everything null but what is known."""
    scores = {f"test/{name}": known.get(name) for name in (*NAMES, *BOUND, "zero_shot_moves")}
    return scores | {name.replace("test/", "test_standard_error/"): None for name in scores}


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_what_nobody_knows_has_no_row(capsys) -> None:
    tables.print_report(metrics(zero_shot_moves=7, retrieval_accuracy=0.5, elbo=-3))
    text = capsys.readouterr().out
    assert "Moves predicted, 7 over zero-shot links" in text
    assert "place of the heaviest memory" in text
    assert "50.0 %" in text
    assert "ELBO" in text
    for absent in ("decoded", "node agent", "untrained", "predictive gap"):
        assert absent not in text


def test_without_places_only_the_bound_is_printed(capsys) -> None:
    tables.print_report(metrics(elbo=-3.0))
    text = capsys.readouterr().out
    assert "Moves predicted" not in text
    assert "-3.00" in text


def test_a_comparison_keeps_a_row_that_one_of_the_models_has(capsys) -> None:
    one, other = metrics(elbo=-3.0, iwae=-2.0), metrics(elbo=-4.0)
    tables.print_comparison({"one": one, "other": other})
    text = capsys.readouterr().out
    assert "importance-weighted" in text
    assert "reconstruction" not in text
