"""The form of a table read from a file: columns of cells, and the row a person would count to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from features.errors import ColumnError
from features.history import Ints

__all__ = [
    "HEADER_ROW",
    "MOST_COLUMNS",
    "Cells",
    "Table",
    "checked_header",
    "normal_name",
    "rows_below_header",
    "shown_name",
]

MOST_COLUMNS = 5_000
"""More than any laboratory export has; a wider header is another kind of file."""

HEADER_ROW = 1

Cells = Literal["number", "day", "word", "text"]
"""What the cells of a column should hold."""


@dataclass(frozen=True, slots=True)
class Table:
    """Some columns of a file.

    Parameters
    ----------
    source
        Name of the file, for messages.
    columns
        Normalised column name to its n cells.
    row : (n,) array
        Row of the file as a person counts it, the header being row 1.
    ragged
        Index of a row that has more or fewer cells than the header to what is wrong with it.
    notes
        How the file was read, where there was more than one way; a line each.
    """

    source: str
    columns: Mapping[str, pa.Array]
    row: Ints
    ragged: Mapping[int, str]
    notes: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __len__(self) -> int:
        return int(self.row.size)


def normal_name(name: str) -> str:
    """Column name as compared: without byte-order mark and outer blanks, in lower case."""
    return name.removeprefix("\ufeff").strip().lower()


def checked_header(names: Iterable[str], *, source: str) -> tuple[str, ...]:
    """Normalised names of a header that has each column once and not too many of them."""
    header = tuple(normal_name(name) for name in names)
    if len(header) > MOST_COLUMNS:
        message = f"has {len(header)} columns; at most {MOST_COLUMNS} are read"
        raise ColumnError("header", message, row=HEADER_ROW, source=source)
    seen: set[str] = set()
    for name in header:
        if name and name in seen:
            raise ColumnError(
                shown_name(name), "is given twice; keep one column", row=HEADER_ROW, source=source
            )
        seen.add(name)
    return header


def shown_name(name: str) -> str:
    """Column name as it may stand in a message: one line, not too long."""
    return "".join(c if c.isprintable() else "?" for c in name[:60])


def rows_below_header(size: int) -> Ints:
    """(size,) rows of a file, as a person counts them, below its header."""
    return np.arange(size, dtype=np.int64) + HEADER_ROW + 1
