"""Checkpoint files: where they are, and whether one is whole. No torch, which takes seconds to load."""

import os
import zipfile
from pathlib import Path

from tem_vae.runs.folder import RunFolder

CONFIG_KEY = "tem_vae_config"  # what a checkpoint keeps the configuration of its run under


def find_checkpoint(path: Path) -> Path | None:
    """The checkpoint file that a path means; None where there is none.

    Args:
        path: The file itself, or the folder of a run, which means its best checkpoint.
    """
    file = RunFolder(path).best if path.is_dir() else path
    return file if file.is_file() else None


def check_whole(file: Path) -> None:
    """Check that a file is a checkpoint of this program and was not cut off.

    A checkpoint is a zip archive, whose table of contents is at its end; in its pickle is a configuration.
    The pickle is searched and not loaded: loading takes torch.

    Raises:
        ValueError: It cannot be read, is not whole, or something else wrote it.
    """
    if not os.access(file, os.R_OK):
        raise ValueError(f"{file} cannot be read")
    try:
        with zipfile.ZipFile(file) as archive:
            pickles = [archive.read(name) for name in archive.namelist() if name.endswith("data.pkl")]
    except zipfile.BadZipFile:
        raise ValueError(
            f"{file} is no whole checkpoint: it was cut off or damaged, or something else wrote it"
        ) from None
    if not any(CONFIG_KEY.encode() in contents for contents in pickles):
        raise ValueError(
            f"{file} was not written by this program: it holds no configuration of a run; "
            "use a checkpoint that scripts/train.py wrote"
        )
