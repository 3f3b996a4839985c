"""Fields of a configuration that name files and folders, and what these must be like."""

import os
import zipfile
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from tem_vae.config.section import Allowed

CONFIG_KEY = "tem_vae_config"  # what a checkpoint keeps the configuration of its run under


def _check_run_dir(path: Path, info: ValidationInfo) -> Path:
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if checks_files(info) and not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise ValueError(f"must be a folder that can be written to, and {existing} is none")
    return path


def _as_paths(value: object) -> object:
    """One checkpoint stands for a list of it alone."""
    paths = value if isinstance(value, list | tuple) else (value,)
    if not paths or not all(isinstance(path, str | Path) for path in paths):
        raise ValueError("must be a path, or a list of paths [A,B]")
    return tuple(Path(path) for path in paths)


def _find_checkpoints(paths: tuple[Path, ...], info: ValidationInfo) -> tuple[Path, ...]:
    if not checks_files(info):
        return paths
    for path in paths:
        file = path / "checkpoints" / "best.ckpt" if path.is_dir() else path
        if not file.is_file():
            raise ValueError(
                "must be a .ckpt file, or the directory of a run that has checkpoints/best.ckpt, "
                f"and {path} is neither"
            )
        check_whole(file)
    if len({path.resolve() for path in paths}) < len(paths):
        raise ValueError("names the same checkpoint twice; name each once")
    return paths


def check_whole(file: Path) -> None:
    """A checkpoint is a zip archive, whose table of contents is at its end; in its pickle is a configuration.

    The pickle is searched and not loaded, which would take torch.
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


def checks_files(info: ValidationInfo) -> bool:
    """Not where a stored configuration is read, whose files may be another machine's."""
    return bool(info.context and info.context.get("check_files"))


RunDirectory = Annotated[Path, Field(strict=False), AfterValidator(_check_run_dir)]
Checkpoints = Annotated[
    tuple[Path, ...],
    BeforeValidator(_as_paths),
    AfterValidator(_find_checkpoints),
    Allowed("path, or list of paths"),
]
