"""The closing table."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tem_vae.evaluation.scores import score_name

_PREDICTORS = {
    "memory": "TEM VAE, by memory weights",
    "decoded": "TEM VAE, decoded prediction",
    "reconstruction": "  its ceiling: own reconstruction",
    "node_agent": "node agent (remembers places)",
    "edge_agent": "edge agent (remembers links)",
    "majority": "majority so far",
    "copy": "copy of the last percept",
    "untrained": "TEM VAE, untrained",
}
_BOUND = {
    "elbo": "ELBO",
    "iwae": "importance-weighted bound",
    "reconstruction": "reconstruction",
    "kl": "KL",
    "predictive_gap": "predictive gap to a place oracle",
}


def print_report(metrics: Mapping[str, float | int | None]) -> None:
    """Print accuracies beside their baselines, and the bound with its terms."""
    accuracies = Table(title=f"Moves predicted, {metrics['test/zero_shot_moves']:,.0f} over zero-shot links")
    accuracies.add_column("predictor")
    accuracies.add_column("revisits", justify="right")
    accuracies.add_column("zero-shot links", justify="right")
    for row in describe_accuracies(metrics):
        accuracies.add_row(*row)
    bound = Table(title="Bound on log p(percepts | actions)")
    bound.add_column("term")
    bound.add_column("nats per percept", justify="right")
    for term in describe_bound(metrics):
        bound.add_row(*term)
    console = Console()
    console.print(accuracies)
    console.print(bound)


def describe_accuracies(metrics: Mapping[str, float | int | None]) -> list[tuple[str, str, str]]:
    """Every predictor with its accuracies on revisits and on zero-shot links."""
    return [
        (
            label,
            _percent(metrics[f"test/{score_name(predictor, 'revisit')}"]),
            _percent(metrics[f"test/{score_name(predictor, 'zero_shot')}"]),
        )
        for predictor, label in _PREDICTORS.items()
    ]


def describe_bound(metrics: Mapping[str, float | int | None]) -> list[tuple[str, str]]:
    """The bound and its terms."""
    values = {label: metrics[f"test/{name}"] for name, label in _BOUND.items()}
    return [(label, "none" if value is None else f"{value:.2f}") for label, value in values.items()]


def _percent(share: float | int | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"
