"""A run directory belongs to one process while that writes to it."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tem_vae.errors import ConfigurationError
from tem_vae.runs.files import write_whole

LOCK, OWNER = ".lock", ".owner.json"

# Of the processes that train one run together, the first has the number 0 in whichever of these is set.
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID")


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Within the block no other process may write to a folder, which is made.

    The operating system holds the lock, and lets it go when the process ends, however it ends; the lock's
    file stays. Of several processes that train one run together only the first claims its folder.

    Raises:
        ConfigurationError: Another process has claimed it, or it cannot be made or written to.
    """
    if any(os.environ.get(rank, "0") != "0" for rank in _RANKS):
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
            f"run_dir = {folder} is being written by {_describe_owner(folder)}; "
            "wait until that has ended, or name another run_dir"
        ) from None
    except OSError as error:
        lock.release()
        raise ConfigurationError(
            f"run_dir = {folder} cannot be written to ({error.strerror}); name a folder that can"
        ) from None
    try:
        yield
    finally:
        (folder / OWNER).unlink(missing_ok=True)
        lock.release()


def _describe_owner(folder: Path) -> str:
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (OSError, ValueError, KeyError):  # it has only just begun, or is about to end
        return "another process"
