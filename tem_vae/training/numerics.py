"""NaN and infinity stop a run at the update where they arise, with all that is needed to find out why."""

from collections.abc import Mapping

import torch
from torch import Tensor


class NonFiniteError(ArithmeticError):
    """A NaN or an infinity arose in training; the message says at which update and in what."""


def check_finite(what: str, update: int, named: Mapping[str, Tensor]) -> None:
    """See that all values are finite.

    Args:
        what: Of what kind they are.
        update: The number of the update, for the message.
        named: The values.

    Raises:
        NonFiniteError: Naming every one that has others.
    """
    # The usual case costs one number, not one for each name.
    if torch.stack([values.detach().sum() for values in named.values()]).sum().isfinite():
        return
    descriptions = [_describe(name, values) for name, values in named.items() if not values.isfinite().all()]
    if descriptions:
        raise NonFiniteError(f"update {update}: {what} not finite: {', '.join(descriptions)}")


def _describe(name: str, values: Tensor) -> str:
    bad = values.numel() - int(values.isfinite().sum())
    kind = "NaN" if values.isnan().any() else "infinite"
    return f"{name} ({kind} in {bad:,} of {values.numel():,} values)"
