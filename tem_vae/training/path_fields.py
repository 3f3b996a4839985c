"""Fields of a configuration that name files and folders, and what these must be like."""

import os
import zipfile
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo


def _check_run_dir(path: Path, info: ValidationInfo) -> Path:
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if checks_files(info) and not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise ValueError(f"must be a folder that can be written to, and {existing} is none")
    return path


def _find_checkpoint(path: Path, info: ValidationInfo) -> Path:
    if not checks_files(info):
        return path
    file = path / "checkpoints" / "best.ckpt" if path.is_dir() else path
    if not file.is_file():
        raise ValueError("must be a .ckpt file, or the directory of a run that has checkpoints/best.ckpt")
    check_whole(file)
    return path


def check_whole(file: Path) -> None:
    """A checkpoint is a zip archive, whose table of contents is at its end."""
    if not os.access(file, os.R_OK):
        raise ValueError(f"{file} cannot be read")
    if not zipfile.is_zipfile(file):
        raise ValueError(f"{file} is no whole checkpoint: it was cut off, or something else wrote it")


def checks_files(info: ValidationInfo) -> bool:
    """Not where a stored configuration is read, whose files may be another machine's."""
    return bool(info.context and info.context.get("check_files"))


RunDirectory = Annotated[Path, Field(strict=False), AfterValidator(_check_run_dir)]
Checkpoint = Annotated[Path, Field(strict=False), AfterValidator(_find_checkpoint)]
