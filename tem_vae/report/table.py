"""Tables of plotted numbers, written as CSV."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes:
        name: Of the file, without its ending.
        columns: By header; units stand in the header.

    Raises:
        ValueError: Columns differ in length.
    """

    name: str
    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        lengths = {header: len(column) for header, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of table {self.name!r} must be equally long, but are {lengths}")

    def write(self, folder: Path) -> Path:
        """Write the table into a folder and return the file."""
        path = folder / f"{self.name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(zip(*(column.tolist() for column in self.columns.values()), strict=True))
        return path


def flatten_array(name: str, values: Column, axes: tuple[str, ...], value: str) -> Table:
    """An array as a table in long form: a column an axis with indices from 0, and one with the values.

    Args:
        name: Of the file.
        values: Of as many axes as are named.
        axes: Headers of the index columns.
        value: Header of the value column.
    """
    indices = np.indices(values.shape).reshape(values.ndim, -1)
    return Table(name, {**dict(zip(axes, indices, strict=True)), value: values.ravel()})
