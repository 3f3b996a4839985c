"""What is in recorded walks, as lines of a table."""

from collections.abc import Mapping

import numpy as np
import torch

from tem_vae.data.recorded.commuting import Verdict
from tem_vae.data.recorded.examination import Examination
from tem_vae.data.recorded.recording import Recording
from tem_vae.data.recorded.values import Facts
from tem_vae.data.walk import classify_steps

_MOST_NAMED = 8
_MOST_CLASSIFIED = 200_000  # steps of a walk


def summarize(found: Examination) -> tuple[list[tuple[str, str]], Verdict]:
    """Rows of what there is, and what is known about the actions."""
    recording, facts = found.recording, found.facts
    lengths = [len(walk) for walk in recording.walks]
    worlds = len({walk.world for walk in recording.walks})
    known = [walk for walk in recording.walks if walk.world[0] == "world"]
    rows = [
        ("walks", f"{len(lengths):,}"),
        ("worlds", f"{worlds:,}" if known else "not recorded: each walk counts as one"),
        ("steps", f"{sum(lengths):,}, {min(lengths):,} to {max(lengths):,} a walk"),
        (
            "percept shape",
            f"{recording.percept_shape}{' (channels first)' if recording.channels_last else ''}",
        ),
        ("missing percepts", _describe_missing(facts)),
        ("actions", _describe_actions(recording, facts.n_actions, found.opposites)),
        ("classes", "not recorded of all walks" if facts.n_classes is None else f"{facts.n_classes:,}"),
        *_describe_truth(recording, facts.places_are_bins),
    ]
    return rows, found.verdict


def _describe_missing(facts: Facts) -> str:
    share = f"{100 * facts.missing:.2g} %"
    partly = f"{100 * facts.partly_missing:.2g} %"
    return f"{share}; {partly} are NaN in some of their numbers only" if facts.partly_missing else share


def _describe_actions(recording: Recording, n_actions: int | None, opposites: Mapping[int, int]) -> str:
    if n_actions is None:
        return f"vectors of {recording.action_dim} numbers"
    names = recording.action_names or tuple(map(str, range(n_actions)))
    shown = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    pairs = [f"{names[a]} and {names[b]}" for a, b in opposites.items() if a < b][:_MOST_NAMED]
    return f"{n_actions:,}: {shown}" + (f"; {', '.join(pairs)} undo each other" if pairs else "")


def _describe_truth(recording: Recording, places_are_bins: bool) -> list[tuple[str, str]]:
    number = len(recording.walks)
    rows = []
    for name in ("places", "positions"):
        having = sum(getattr(walk, name) is not None for walk in recording.walks)
        if having < number:
            rows.append((name, "not recorded" if not having else f"only of {having:,} of {number:,} walks"))
    if all(walk.places is not None for walk in recording.walks):
        rows += _count_links(recording, places_are_bins)
    return rows


def _count_links(recording: Recording, places_are_bins: bool) -> list[tuple[str, str]]:
    """Moves that can be scored, in whole walks."""
    counts = np.zeros(3, dtype=np.int64)
    places = 0
    for walk in recording.walks:
        assert walk.places is not None
        numbers = walk.places.read(0, min(len(walk), _MOST_CLASSIFIED)).astype(np.int64)
        places += len(np.unique(numbers))
        kinds = classify_steps(torch.from_numpy(numbers)[None])
        counts += [int(kind.sum()) for kind in (kinds.move, kinds.revisit, kinds.zero_shot)]
    moves, revisits, zero_shot = counts.tolist()
    return [
        (
            "places",
            f"{places / len(recording.walks):,.0f} a walk{', bins of positions' if places_are_bins else ''}",
        ),
        ("moves", f"{moves:,}, of which {revisits:,} are revisits and {zero_shot:,} zero-shot links"),
    ]
