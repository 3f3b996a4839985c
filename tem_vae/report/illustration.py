"""A figure with all that belongs to it: title, caption and the numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from tem_vae.report.table import Table


@dataclass(frozen=True)
class Illustration:
    """A figure ready to be shown.

    Attributes:
        name: Of its files, without their endings.
        title: What it is about.
        figure: The drawing.
        caption: What is seen, with the numbers.
        tables: Every plotted number.
    """

    name: str
    title: str
    figure: Figure
    caption: str
    tables: Sequence[Table]

    def save(self, folder: Path) -> list[Path]:
        """Write PNG, SVG and CSV into a folder and return the files in this order."""
        images = [folder / f"{self.name}.{ending}" for ending in ("png", "svg")]
        for path in images:
            # Without a date the same numbers give the same file.
            metadata = {"Date": None} if path.suffix == ".svg" else None
            self.figure.savefig(path, dpi=200, metadata=metadata)
        return [*images, *(table.write(folder) for table in self.tables)]
