"""Whether the folder of a run is still where it was while the run writes to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tem_vae.errors import FolderGoneError


class Presence:
    """Remembers which folder stands at a path.

    Args:
        folder: The path; the folder must be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._identity = _identify(folder)

    def check(self) -> None:
        """Check that the same folder stands there.

        Raises:
            FolderGoneError: It was removed or moved, or another one took its place.
        """
        if _identify(self.folder) != self._identity:
            raise FolderGoneError(
                f"run_dir = {self.folder} was removed or moved while the run was writing to it, so the run "
                "was stopped; if it was moved, continue it with resume=true run_dir=ITS_NEW_PLACE"
            )


@contextmanager
def present(folder: Path) -> Iterator[Presence]:
    """Within the block an error that comes of a folder that is gone says so.

    Raises:
        FolderGoneError: The block was left by an error, and the folder is no longer there.
    """
    presence = Presence(folder)
    try:
        yield presence
    except Exception:
        presence.check()
        raise


def _identify(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from all others; None where there is none."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino
