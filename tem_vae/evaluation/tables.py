"""The closing tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from tem_vae.evaluation.tester import IWAE_STEPS
from tem_vae.runs.folder import Metrics
from tem_vae.scores.positions import LOOKED_AT, PREDICTED, distance_name, r2_name
from tem_vae.scores.prediction import score_name

_PREDICTORS = {
    "memory": "TEM VAE, by memory weights",
    "retrieval": "TEM VAE, place of the heaviest memory",
    "decoded": "TEM VAE, decoded prediction",
    "reconstruction": "  its ceiling: own reconstruction",
    "node_agent": "node agent (remembers places)",
    "edge_agent": "edge agent (remembers links)",
    "majority": "majority so far",
    "copy": "copy of the last percept",
    "untrained": "TEM VAE, untrained",
    "untrained_retrieval": "TEM VAE, untrained, place of the heaviest memory",
}
_BOUND = {
    "elbo": "ELBO",
    "iwae": f"importance-weighted bound, first {IWAE_STEPS} steps",
    "reconstruction": "reconstruction",
    "kl": "KL",
    "predictive_gap": f"predictive gap to a place oracle, first {IWAE_STEPS} steps",
}

_BELIEF = {
    "slip_auroc": "actions that were not what was recorded, AUROC",
    "location_error": "distance to where memory looks, revisits",
    "belief_entropy": "entropy of hypotheses, nats",
    "belief_evidence": "log p(percepts | recorded actions) by hypotheses, nats per percept",
}

_BY_POSITION = {
    "decoded": "TEM VAE, decoded prediction",
    "retrieval": "TEM VAE, position of the heaviest memory",
    "reconstruction": "  its ceiling: own reconstruction",
    "nearest": "nearest earlier position",
    "copy": "copy of the last percept",
    "untrained": "TEM VAE, untrained",
}
_STEPS = ("all steps", "returns")

_NOT_SCORED = "none"


def print_report(metrics: Metrics) -> None:
    """Print accuracies beside their baselines, and the bound with its terms."""
    console = Console()
    if (moves := metrics["test/zero_shot_moves"]) is not None:
        title = f"Moves predicted, {moves:,.0f} over zero-shot links"
        rows = scored(describe_accuracies(metrics))
        console.print(_table(title, ("predictor", "revisits", "zero-shot links"), rows))
    share = metrics.get("test/returns_share")
    steps = _STEPS[:1] if share is None else _STEPS
    title = f"R² of predicted percepts{'' if share is None else f', {100 * share:.0f} % of them at returns'}"
    _print_scored(console, title, steps, scored(row[: 1 + len(steps)] for row in describe_r2(metrics)))
    title = "Distance to where memory looks, in the unit of positions"
    _print_scored(console, title, steps, scored(describe_distances(metrics)))
    if beliefs := scored(describe_belief(metrics)):
        console.print(_table("Belief about what happened", ("score", "value"), beliefs))
    rows = scored(describe_bound(metrics))
    console.print(_table("Bound on log p(percepts | actions)", ("term", "nats per percept"), rows))


def print_comparison(results: Mapping[str, Metrics]) -> None:
    """Print the scores of several models on the same walks side by side.

    Args:
        results: By the name of the model.
    """
    accuracies = [describe_accuracies(metrics) for metrics in results.values()]
    r2 = [describe_r2(metrics) for metrics in results.values()]
    distances = [describe_distances(metrics) for metrics in results.values()]
    bounds = [describe_bound(metrics) for metrics in results.values()]
    console = Console()
    for column, title in ((1, "Revisits predicted"), (2, "Moves over zero-shot links predicted")):
        _print_scored(console, title, results, _side_by_side(accuracies, column))
    for column, steps in enumerate(_STEPS, 1):
        _print_scored(console, f"R² of predicted percepts, {steps}", results, _side_by_side(r2, column))
        title = f"Distance to where memory looks, {steps}"
        _print_scored(console, title, results, _side_by_side(distances, column))
    title = "Bound on log p(percepts | actions), nats per percept"
    console.print(_table(title, ("term", *results), _side_by_side(bounds, 1)))
    console.print("All on the same walks.")


def describe_accuracies(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Every predictor with its accuracies on revisits and on zero-shot links."""
    return [
        (
            label,
            _estimate(metrics, score_name(predictor, "revisit"), 100, 1, " %"),
            _estimate(metrics, score_name(predictor, "zero_shot"), 100, 1, " %"),
        )
        for predictor, label in _PREDICTORS.items()
    ]


def describe_r2(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Every predictor of percepts with its R² at all steps and at returns."""
    return _describe_by_position(metrics, PREDICTED, r2_name, 3)


def describe_distances(metrics: Metrics) -> list[tuple[str, str, str]]:
    """Everything that looks at an earlier step, with its mean distance at all steps and at returns."""
    return _describe_by_position(metrics, LOOKED_AT, distance_name, 4)


def _describe_by_position(
    metrics: Metrics, predictors: Iterable[str], name: Callable[[str, bool], str], digits: int
) -> list[tuple[str, str, str]]:
    return [
        (
            _BY_POSITION[predictor],
            _estimate(metrics, name(predictor, False), 1, digits),
            _estimate(metrics, name(predictor, True), 1, digits),
        )
        for predictor in predictors
    ]


def describe_bound(metrics: Metrics) -> list[tuple[str, str]]:
    """The bound and its terms."""
    return [(label, _estimate(metrics, name, 1, 2)) for name, label in _BOUND.items()]


def describe_belief(metrics: Metrics) -> list[tuple[str, str]]:
    """What a belief over location was worth."""
    return [(label, _estimate(metrics, name, 1, 3)) for name, label in _BELIEF.items()]


def _estimate(metrics: Metrics, score: str, factor: int, digits: int, unit: str = "") -> str:
    """A score, in a unit of which one of its own has so many, with its standard error where there is one."""
    mean, error = metrics.get(f"test/{score}"), metrics.get(f"test_standard_error/{score}")
    if mean is None:
        return _NOT_SCORED
    spread = "" if error is None else f" ± {factor * error:.{digits}f}"
    return f"{factor * mean:.{digits}f}{spread}{unit}"


def _side_by_side(tables: Sequence[Sequence[Sequence[str]]], column: int) -> list[Sequence[str]]:
    """The row labels of tables that have them in common, and one column of each."""
    return scored([[rows[0][0], *(row[column] for row in rows)] for rows in zip(*tables, strict=True)])


def scored(rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """The rows in which something was scored: a score that nobody can know has no row."""
    return [row for row in rows if set(row[1:]) != {_NOT_SCORED}]


def _print_scored(
    console: Console, title: str, columns: Iterable[str], rows: Sequence[Sequence[str]]
) -> None:
    """A table side by side, unless nothing in it was scored."""
    if rows:
        console.print(_table(title, ("predictor", *columns), rows))


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, caption="± standard error over walks")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table
