"""What is wrong with recorded walks, all of it in one message."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tem_vae.errors import ConfigurationError

_MOST_SHOWN = 100  # kinds of problems
_MOST_RUNS_SHOWN = 5
_NUMBER = re.compile(r"-?\d[\d.,]*(?:e[-+]?\d+)?|\b-?(?:nan|inf)\b")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})", re.DOTALL)


class WalksFileError(ConfigurationError):
    """Recorded walks cannot be used; the message lists every problem with its walk and what is expected."""


class NotUsable(ValueError):  # noqa: N818  it is never seen: files of this folder turn it into a problem
    """Something in a file is not what it should be; the message says why, to be put behind its name."""


@dataclass(frozen=True)
class WalkProblem:
    """Something that is wrong with recorded walks.

    Attributes:
        walk: The walk's name; empty if it concerns the whole file.
        what: What is wrong and what is expected, as in ``actions[17] = 9: must be ...``.
        more_steps: At how many more steps of the walk it is so.
    """

    walk: str
    what: str
    more_steps: int = 0

    def __str__(self) -> str:
        more = f" ({self.more_steps:,} more such steps)" if self.more_steps else ""
        return f"{self.walk}: {self.what}{more}" if self.walk else self.what

    @property
    def kind(self) -> str:
        """The same for problems that differ only in their numbers."""
        return _NUMBER.sub("0", self.what)


def raise_problems(path: Path, problems: Sequence[WalkProblem]) -> None:
    """Name all problems of a file in one message; of those that differ only in numbers the first.

    Raises:
        WalksFileError: There are any.
    """
    if not problems:
        return
    if len(problems) == 1 and not problems[0].walk and problems[0].what.startswith(str(path)):
        raise WalksFileError(problems[0].what)
    count = "a problem" if len(problems) == 1 else f"{len(problems):,} problems"
    alike: dict[str, list[WalkProblem]] = {}
    for problem in problems:
        alike.setdefault(problem.kind, []).append(problem)
    shown = list(alike.values())[:_MOST_SHOWN]
    lines = [f"{path} has {count}:", *(line for group in shown for line in _lines(group))]
    if left := len(problems) - sum(map(len, shown)):
        lines.append(f"  and {left:,} more")
    raise WalksFileError("\n".join(lines))


def _lines(alike: Sequence[WalkProblem]) -> Iterator[str]:
    yield f"  {alike[0]}"
    if others := [problem.walk for problem in alike[1:]]:
        yield f"    and {len(others):,} more alike: {', '.join(_runs(others))}"


def _runs(names: Sequence[str]) -> list[str]:
    """Names that are numbered one after the other as ``walk_2 to walk_30``; not too many.

    Example:
        >>> _runs(["walk_2", "walk_3", "walk_4", "walk_7", "last"])
        ['walk_2 to walk_4', 'walk_7', 'last']
    """
    runs: list[tuple[str, str]] = []
    for name in names:
        if runs and _follows(runs[-1][1], name):
            runs[-1] = (runs[-1][0], name)
        else:
            runs.append((name, name))
    texts = [first if first == last else f"{first} to {last}" for first, last in runs]
    return texts if len(texts) <= _MOST_RUNS_SHOWN else [*texts[:_MOST_RUNS_SHOWN], "..."]


def _follows(before: str, after: str) -> bool:
    """Whether two names are the same but for a number at their ends, which is one more."""
    one, two = _NUMBERED.fullmatch(before), _NUMBERED.fullmatch(after)
    return one is not None and two is not None and one[1] == two[1] and int(one[2]) + 1 == int(two[2])
