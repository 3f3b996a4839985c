"""A formula of the article that is wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shortfall:
    """A formula or statement of the article that is wrong.

    Attributes:
        article: What the article says.
        truth: What is true instead.
        measured: The numbers measured here, in words.
        confirmed: Whether these numbers show it.
    """

    article: str
    truth: str
    measured: str
    confirmed: bool
