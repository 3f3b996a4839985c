"""Tables and numbers as text."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown, ending with a line break.

    Example:
        >>> print(markdown_table(["score", "%"], [["revisits", 99.5]]), end="")
        | score | % |
        | --- | --- |
        | revisits | 99.5 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines)
