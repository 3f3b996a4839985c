"""The table of the printed figures, as text and in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tem_vae.studies.article.checks import Check, Verdict
from tem_vae.studies.article.printed import PrintedFigure

COLUMNS = (
    "figure",
    "printed",
    "published formula here",
    "corrected formula here",
    "theory or float64 reference",
    "tolerance",
    "verdict",
)
_WIDTH = 200
_COLORS = {Verdict.HOLDS: "green", Verdict.WRONG: "yellow", Verdict.FAILED: "bold red"}


def figure_rows(checks: Sequence[Check]) -> list[tuple[str, ...]]:
    """One row of cells for each figure, in the order of :data:`COLUMNS`."""
    return [
        (
            check.figure.name,
            printed_text(check.figure),
            check.published,
            check.corrected,
            check.expected,
            check.tolerance,
            str(check.verdict),
        )
        for check in checks
    ]


def printed_text(figure: PrintedFigure) -> str:
    """The value of a figure as the article prints it."""
    if isinstance(figure.value, tuple):
        return " × ".join(str(size) for size in figure.value)
    return f"{figure.value:.7g}"


def print_table(checks: Sequence[Check]) -> None:
    """Print the table to standard output; where that is no terminal, wide enough to show every cell whole."""
    table = Table(title="The figures of the article")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for check, row in zip(checks, figure_rows(checks), strict=True):
        table.add_row(*row[:-1], f"[{_COLORS[check.verdict]}]{row[-1]}[/]")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
