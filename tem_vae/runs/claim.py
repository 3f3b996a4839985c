"""A run directory belongs to one process while that writes to it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tem_vae.errors import ConfigurationError
from tem_vae.runs.files import write_whole

LOCK, OWNER = ".lock", ".owner.json"

# The first of several processes has the number 0 in whichever of these is set.
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")

# What this process has claimed.
_held: set[Path] = set()


@contextmanager
def claimed(folder: Path, processes: int = 1, key: str = "run_dir") -> Iterator[None]:
    """Within the block no other process may write to a folder, which is made.

    The operating system holds the lock, and lets it go when the process ends, however it ends; the lock's
    file stays.

    Args:
        folder: The folder.
        processes: How many train one run together, of which only the first claims its folder. A process that
            a cluster has numbered is a run of its own if its run has but one.
        key: Of the configuration that names the folder.

    Raises:
        ConfigurationError: Another process has claimed it, or it cannot be made or written to.
    """
    if processes > 1 and any(os.environ.get(rank, "0") != "0" for rank in _RANKS):
        yield
        return
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
        }
        write_whole(folder / OWNER, json.dumps(owner) + "\n")
    except Timeout:
        raise ConfigurationError(
            f"{key} = {folder} is being written by {_describe_owner(folder)}; "
            f"wait until that has ended, or name another {key}"
        ) from None
    except OSError as error:
        lock.release()
        raise ConfigurationError(
            f"{key} = {folder} cannot be written to ({error.strerror}); name a folder that can"
        ) from None
    mine = os.stat(folder / LOCK)
    _held.add(folder.absolute())
    try:
        yield
    finally:
        _held.discard(folder.absolute())
        with suppress(OSError):  # the folder was removed, or another took its place
            if os.path.samestat(mine, os.stat(folder / LOCK)):
                (folder / OWNER).unlink()
        lock.release()


@contextmanager
def held_or_claimed(folder: Path, processes: int = 1) -> Iterator[None]:
    """As `claimed`, where whoever calls has not claimed the folder already; else they go on holding it.

    Raises:
        ConfigurationError: Another process has claimed it, or it cannot be made or written to.
    """
    if folder.absolute() in _held:
        yield
        return
    with claimed(folder, processes):
        yield


def _describe_owner(folder: Path) -> str:
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (OSError, ValueError, KeyError):  # it has only just begun, or is about to end
        return "another process"
