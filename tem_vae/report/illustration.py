"""A figure with all that belongs to it: title, caption and the numbers behind it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

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
        # Without a date and random names, files of the same numbers differ as little as they can.
        with rc_context({"svg.hashsalt": "tem_vae"}):
            for path in images:
                metadata = {"Date": None} if path.suffix == ".svg" else None
                self.figure.savefig(path, dpi=200, metadata=metadata)
        return [*images, *(table.write(folder) for table in self.tables)]


def rasterise(figure: Figure) -> Image.Image:
    """The figure in pixels of 8 bits a color, 100 an inch; of floats wandb would make a black image."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return Image.open(content).convert("RGB")
