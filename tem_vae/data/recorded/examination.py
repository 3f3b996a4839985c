"""All that can be known of recorded walks before they are used: their problems, or what they are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tem_vae.data.recorded.contents import WalkProblem, WalksFileError, raise_problems
from tem_vae.data.recorded.headers import check_headers
from tem_vae.data.recorded.recording import Recording, as_recording, read_contents
from tem_vae.data.recorded.transitions import find_opposites, gather_transitions
from tem_vae.data.recorded.values import Advance, Facts, check_values

# Of percepts before training; the rest is checked when it is read.
MOST_CHECKED = 2**30  # bytes


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        path: What was examined.
        problems: Everything that is wrong.
        recording: The walks; None if their shapes or types do not fit together.
        facts: What their numbers say; None as well.
        opposites: For each action the one that undid it wherever places show it.
    """

    path: Path
    problems: tuple[WalkProblem, ...]
    recording: Recording | None = None
    facts: Facts | None = None
    opposites: Mapping[int, int] | None = None


def examine(path: Path, most_bytes: int | None = None, advance: Advance = lambda steps: None) -> Examination:
    """Look for every problem of recorded walks. Numbers are looked at if shapes and types are in order.

    Args:
        path: A file or a folder of walks.
        most_bytes: Of percepts at most so many are read; None reads all.
        advance: Called with the number of steps that were just read, to show progress.
    """
    try:
        contents = read_contents(path)
    except WalksFileError as error:
        return Examination(path, (WalkProblem("", str(error)),))
    problems = contents.problems + check_headers(contents)
    if problems:
        return Examination(path, tuple(problems))
    recording = as_recording(contents)
    facts, problems = check_values(recording, most_bytes, advance)
    if problems:
        return Examination(path, tuple(problems), recording, facts)
    return Examination(path, (), recording, facts, find_opposites(gather_transitions(recording)))


def examine_once(path: Path) -> Examination:
    """Examine walks for training. What has not changed since is not read again.

    Raises:
        WalksFileError: There is a problem; the message lists all of them.
    """
    found = _examine_version(path, _version(path))
    raise_problems(found.path, found.problems)
    return found


@lru_cache(maxsize=4)
def _examine_version(path: Path, version: tuple[tuple[str, int, int, int], ...]) -> Examination:
    return examine(path, MOST_CHECKED)


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
