"""Small files that are whole whenever they are there."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write beside the file and then rename: a kill at any moment leaves the old file or the new one."""
    scratch = path.with_name(f"{path.name}.part")
    with scratch.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
