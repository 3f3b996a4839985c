"""One shortfall of the article."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortfall:
    """One formula of the article that does not hold.

    Attributes:
        article: what the article has.
        truth: what is true instead.
        measured: the numbers found here.
        confirmed: whether they show it.
    """

    article: str
    truth: str
    measured: str
    confirmed: bool
