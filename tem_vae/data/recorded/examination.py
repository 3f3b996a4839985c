"""All that can be known of recorded walks before they are used: their problems, or what they are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from tem_vae.data.recorded.commuting import Verdict, judge_actions
from tem_vae.data.recorded.problems import WalksFileError, raise_problems
from tem_vae.data.recorded.recording import Recording, open_recording
from tem_vae.data.recorded.transitions import find_opposites, gather_transitions
from tem_vae.data.recorded.values import Advance, Facts, check_values

# Of percepts before training; the rest is checked when it is read.
MOST_CHECKED = 2**30  # bytes


@dataclass(frozen=True)
class Examination:
    """What was found of recorded walks that can be used.

    Attributes:
        recording: The walks.
        facts: What their numbers say.
        opposites: For each action the one that undid it wherever places show it.
    """

    recording: Recording
    facts: Facts
    opposites: Mapping[int, int]

    @cached_property
    def verdict(self) -> Verdict:
        """Whether path integration can represent the actions; reads places and positions once more."""
        return judge_actions(self.recording, gather_transitions(self.recording))


def examine(path: Path, most_bytes: int | None = None, advance: Advance = lambda steps: None) -> Examination:
    """Look for every problem of recorded walks. Numbers are looked at if shapes and types are in order.

    Args:
        path: A file or a folder of walks.
        most_bytes: Of percepts at most so many are read; None reads all.
        advance: Called with the number of steps that were just read, to show progress.

    Raises:
        WalksFileError: There is a problem; the message lists all of them.
    """
    recording = open_recording(path)
    facts, problems = check_values(recording, most_bytes, advance)
    raise_problems(path, problems)
    return Examination(recording, facts, find_opposites(gather_transitions(recording)))


def examine_once(path: Path) -> Examination:
    """Examine walks for training. What has not changed since is not read again.

    Raises:
        WalksFileError: There is a problem; the message lists all of them.
    """
    found = _examine_version(path, _version(path))
    if isinstance(found, WalksFileError):
        raise found
    return found


@lru_cache(maxsize=4)
def _examine_version(
    path: Path, version: tuple[tuple[str, int, int, int], ...]
) -> Examination | WalksFileError:
    try:
        return examine(path, MOST_CHECKED)
    except WalksFileError as error:  # kept too: it may have taken as long to find
        return error


def _version(path: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Names, times and sizes of a file, or of the files of a folder and of the folders in it."""
    folder = os.fspath(path)
    try:
        inner = [entry.path for entry in os.scandir(folder)] if os.path.isdir(folder) else []
        inner += [entry.path for one in list(inner) if os.path.isdir(one) for entry in os.scandir(one)]
        status = {name: os.stat(name) for name in [folder, *inner]}
    except (OSError, ValueError):
        return ()
    return tuple((name, found.st_mtime_ns, found.st_size, found.st_ino) for name, found in status.items())
