import pytest

from tem_vae.evaluation import tables
from tem_vae.scores.positions import LOOKED_AT, PREDICTED, distance_name, r2_name
from tem_vae.scores.prediction import AGENTS, MODEL, UNTRAINED, score_name

NAMES = [score_name(p, k) for p in (*MODEL, *AGENTS, *UNTRAINED) for k in ("revisit", "zero_shot")]
BOUND = ("elbo", "iwae", "reconstruction", "kl", "predictive_gap")


def metrics(**known: float) -> dict[str, float | None]:
    """Everything null but what is known."""
    scores: dict[str, float | None] = dict.fromkeys(f"test/{n}" for n in (*NAMES, *BOUND, "zero_shot_moves"))
    scores |= {f"test/{name}": value for name, value in known.items()}
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


def test_what_positions_alone_tell_has_tables_of_its_own(capsys) -> None:
    known = {r2_name(p, returns): 0.9 for p in PREDICTED for returns in (False, True)}
    known |= {distance_name(p, returns): 0.02 for p in LOOKED_AT for returns in (False, True)}
    known |= {r2_name("decoded", at_returns=True): 0.75, distance_name("retrieval", at_returns=False): 0.0321}
    tables.print_report(metrics(elbo=-3.0, returns_share=0.22, **known))
    text = capsys.readouterr().out
    assert "22 % of them at returns" in text
    assert "Moves predicted" not in text
    (decoded,) = [line for line in text.splitlines() if "decoded prediction" in line]
    assert [cell.strip() for cell in decoded.split("│")[2:4]] == ["0.900", "0.750"]
    assert "0.0321" in text
    tables.print_comparison({"one": metrics(elbo=-3.0, **known), "other": metrics(elbo=-4.0)})
    text = capsys.readouterr().out
    assert "R² of predicted percepts, returns" in text
    assert "Moves over zero-shot links" not in text


def test_without_positions_and_places_there_are_no_returns(capsys) -> None:
    tables.print_report(metrics(elbo=-3.0, decoded_r2=0.5, copy_r2=0.25, reconstruction_r2=0.75))
    text = capsys.readouterr().out
    assert "R² of predicted percepts" in text
    assert "copy of the last percept" in text
    for absent in ("returns", "nearest", "Distance", "none"):
        assert absent not in text


def test_a_run_of_a_version_without_scores_of_positions_is_printed(capsys) -> None:
    tables.print_report(metrics(elbo=-3.0))
    assert "R²" not in capsys.readouterr().out
