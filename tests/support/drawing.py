"""Cases of several kinds in turn, so that a few of them are of every kind."""

from collections.abc import Iterable
from itertools import islice, zip_longest
from typing import TypeVar

Case = TypeVar("Case")


def take_turns(pools: Iterable[Iterable[Case]], count: int) -> list[Case]:
    """The first cases, one of each pool in turn; a pool that is empty is passed over."""
    turns = zip_longest(*pools)
    return list(islice((case for turn in turns for case in turn if case is not None), count))
