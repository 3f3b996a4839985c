"""Tables and numbers as text."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""A table in Markdown, ending with a line break; a bar inside a cell is escaped.

    Example:
        >>> print(markdown_table(["score", "%"], [["revisits", 99.5], ["|x|", 1]]), end="")
        | score | % |
        | --- | --- |
        | revisits | 99.5 |
        | \|x\| | 1 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(_escape(cell) for cell in line)} |\n" for line in lines)


def _escape(cell: object) -> str:
    return str(cell).replace("|", "\\|")
