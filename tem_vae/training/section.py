"""What every part of a configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the configuration; a key that is not listed is an error."""

    # Strict: true is no number, and "8" none either.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
