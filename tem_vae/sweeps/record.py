"""``sweep.yaml``: what was asked of a sweep, so that the same command can be recognised and continued."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from tem_vae.config.resume import NOT_COMPUTED, concerns
from tem_vae.errors import ConfigurationError

RECORD_FILE = "sweep.yaml"

# Where jobs run and are written may change from one part of a sweep to the next.
_FREE = (*NOT_COMPUTED, "hydra/launcher", "hydra.launcher", "hydra.sweep.dir")


@dataclass(frozen=True)
class SweepRecord:
    """What a sweep is.

    Attributes:
        overrides: Of the command line, but for what may change when a sweep is continued.
        objective: The validation score by which configurations are compared.
    """

    overrides: tuple[str, ...]
    objective: str

    def write(self, sweep_dir: Path) -> None:
        """Write it to the sweep's directory, which is made."""
        sweep_dir.mkdir(parents=True, exist_ok=True)
        fields = asdict(self) | {"overrides": list(self.overrides)}
        (sweep_dir / RECORD_FILE).write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")


def identifying_overrides(overrides: Sequence[str]) -> tuple[str, ...]:
    """Those that tell one sweep from another, in a fixed order."""
    return tuple(sorted(o for o in overrides if not concerns(o, _FREE)))


def read_record(sweep_dir: Path) -> SweepRecord | None:
    """The record of a sweep; None where there is none."""
    file = sweep_dir / RECORD_FILE
    if not file.exists():
        return None
    fields = yaml.safe_load(file.read_text(encoding="utf-8"))
    return SweepRecord(tuple(fields["overrides"]), fields["objective"])


def find_sweep(parent: Path, overrides: Sequence[str]) -> Path:
    """The latest sweep in a folder that was started with the same overrides.

    Raises:
        ConfigurationError: There is none.
    """
    wanted = identifying_overrides(overrides)
    found = [
        file.parent
        for file in parent.glob(f"*/{RECORD_FILE}")
        if (record := read_record(file.parent)) and record.overrides == wanted
    ]
    if not found:
        raise ConfigurationError(
            f"resume = true, but no sweep in {parent} was started with {' '.join(wanted)}; "
            "repeat the command of the sweep with resume=true added, or name it: hydra.sweep.dir=DIRECTORY"
        )
    return max(found, key=lambda directory: (directory / RECORD_FILE).stat().st_mtime)
