"""Checkpoint files: where they are, and whether one is whole. No torch, which takes seconds to load."""

from pathlib import Path

from tem_vae.runs.archive import ArchiveError, open_archive
from tem_vae.runs.folder import RunFolder
from tem_vae.runs.stored_values import StoredValuesError, read_values

CONFIG_KEY = "tem_vae_config"  # what a checkpoint keeps the configuration of its run under


def find_checkpoint(path: Path) -> Path | None:
    """The checkpoint file that a path means; None where there is none.

    Args:
        path: The file itself, or the folder of a run, which means its best checkpoint.
    """
    file = RunFolder(path).best if path.is_dir() else path
    return file if file.is_file() else None


def check_whole(file: Path) -> None:
    """Check that a file is a checkpoint of this program and was not cut off or damaged.

    The values in it are read without its tensors: loading those takes torch.

    Raises:
        ValueError: It cannot be read, is not whole, or something else wrote it.
    """
    try:
        with open_archive(file) as archive:
            contents = read_values(archive.read("data.pkl"), lambda tensor: tensor)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from None
    except (ArchiveError, StoredValuesError) as error:
        raise ValueError(f"{file} is no whole checkpoint: {error}") from None
    if not isinstance(contents, dict) or CONFIG_KEY not in contents:
        raise ValueError(
            f"{file} was not written by this program: it holds no configuration of a run; "
            "use a checkpoint that scripts/train.py wrote"
        )
