"""Which recorded walks are for training, validation and test: whole walks or worlds, never steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tem_vae.data.recorded.problems import WalksFileError
from tem_vae.data.recorded.recording import RecordedWalk, Recording
from tem_vae.data.source import Split

SplitBy = Literal["world", "walk"]


@dataclass(frozen=True)
class Shares:
    """How walks are split.

    Attributes:
        by: Whether all walks of a world are in one split, or each walk is on its own.
        validation: The share of the worlds or walks that are for validation, in [0, 1].
        test: The share that is for test, in [0, 1]; what is left is for training.
        seed: Decides which.
    """

    by: SplitBy
    validation: float
    test: float
    seed: int


def split_walks(recording: Recording, shares: Shares) -> Mapping[Split, tuple[RecordedWalk, ...]]:
    """The walks of every split, in the order of the file; a split with a share has one unit at least.

    Which walk is in which split is a function of the walks' names, their worlds and the shares alone.

    Raises:
        WalksFileError: There are fewer walks or worlds than splits.
    """
    units: dict[tuple[str, str], list[int]] = {}
    for number, walk in enumerate(recording.walks):
        units.setdefault(walk.world if shares.by == "world" else ("walk", walk.name), []).append(number)
    sizes = _sizes(len(units), shares)
    if sizes["train"] < (shares.validation + shares.test < 1):
        raise WalksFileError(_describe_shortage(recording, len(units), shares))
    names = sorted(units)
    order = np.random.default_rng(shares.seed).permutation(len(names))
    ends = np.cumsum([sizes["validation"], sizes["test"], sizes["train"]])
    drawn = dict(zip(("validation", "test", "train"), np.split(order, ends[:-1]), strict=True))
    return {
        split: tuple(recording.walks[n] for n in sorted(n for u in drawn[split] for n in units[names[u]]))
        for split in ("train", "validation", "test")
    }


def missing_for_training(recording: Recording) -> str | None:
    """What training, validation and test on these walks alone lack, and what to do; None where nothing."""
    shares = Shares("world", 0.1, 0.1, 0)
    units = len({walk.world for walk in recording.walks})
    return None if units >= _wanted(shares) else _describe_shortage(recording, units, shares)


def _wanted(shares: Shares) -> int:
    return 1 + (shares.validation > 0) + (shares.test > 0)


def _sizes(units: int, shares: Shares) -> dict[Split, int]:
    validation, test = (max(share > 0, round(share * units)) for share in (shares.validation, shares.test))
    return {"validation": int(validation), "test": int(test), "train": units - int(validation) - int(test)}


def _describe_shortage(recording: Recording, units: int, shares: Shares) -> str:
    wanted = _wanted(shares)
    what = "walk" if shares.by == "walk" else "world"
    there = f"{units} {what}{'' if units == 1 else 's'}"
    advice = f"record at least {wanted}"
    if shares.by == "world" and len(recording.walks) >= wanted:
        advice += f", or split its {len(recording.walks)} walks with data.split.by=walk"
    elif units >= wanted:
        advice += ", or use smaller shares in data.split"
    else:
        advice += ", or store a long one as several walks, cut where nothing is lost"
    return f"{recording.path} has {there}, and training, validation and test need one each; {advice}"
