"""What every part of a configuration has in common."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Allowed:
    """In an annotation: the values that it allows, where its type does not say so.

    Attributes:
        words: For the reader of docs/configuration.md.
    """

    words: str


class Section(BaseModel):
    """A part of the configuration; a key that is not listed is an error."""

    # Strict: true is no number, and "8" none either.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
