"""Tables of CSV and Parquet files and of frames. pandas is never imported here."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet

from features.errors import ColumnError, InputError
from features.sources.delimited import csv_header, read_csv
from features.sources.table import (
    Cells,
    Table,
    checked_header,
    normal_name,
    rows_below_header,
    shown_name,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Names", "header_of", "is_parquet", "table_from_frame", "table_of"]

PARQUET_MAGIC = b"PAR1"

Names = Mapping[str, str]
"""Normalised column name of a file to the name it is read by; other columns are not read."""


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its first bytes or, where those are broken, by its name."""
    with path.open("rb") as file:
        return file.read(4) == PARQUET_MAGIC or path.suffix.lower() in {".parquet", ".pq"}


def header_of(path: Path, names: Names | None = None) -> tuple[str, ...]:
    """Normalised column names of a CSV or Parquet file.

    Parameters
    ----------
    path
        The file.
    names
        What its columns are read by, where they have names of their own.

    Raises
    ------
    InputError
        If the file is missing, empty, of another kind, or its header cannot be used.
    """
    if not path.is_file():
        raise InputError("file", "does not exist", source=path.name)
    if path.stat().st_size == 0:
        raise InputError("file", "is empty; give a header and one row per visit", source=path.name)
    header = _parquet_header(path) if is_parquet(path) else csv_header(path)
    return header if names is None else _renamed(header, names, path.name)


def _renamed(header: tuple[str, ...], names: Names, source: str) -> tuple[str, ...]:
    for name in names:
        if name not in header:
            raise ColumnError(shown_name(name), "is no column of the file", source=source)
    return checked_header((names[name] for name in header if name in names), source=source)


def table_of(
    path: Path,
    wanted: Mapping[str, Cells],
    *,
    may_be_empty: bool = False,
    names: Names | None = None,
) -> Table:
    """The wanted columns of a CSV or Parquet file, without its blank rows.

    Parameters
    ----------
    path
        A file whose header has been read by `header_of`.
    wanted
        Normalised name to what its cells should hold; other columns are not read. Where a CSV
        cell holds something else, all cells are text.
    may_be_empty
        Whether a header without rows will do.
    names
        As given to `header_of`.
    """
    if names is not None:
        table = table_of(path, {own: wanted[name] for own, name in names.items() if name in wanted})
        columns = {names[own]: cells for own, cells in table.columns.items()}
        return replace(table, columns=columns)
    table = _read_parquet(path, set(wanted)) if is_parquet(path) else read_csv(path, wanted)
    if len(table) == 0 and not may_be_empty:
        raise InputError("file", "has a header and no rows", source=path.name)
    return table


def table_from_frame(frame: "pd.DataFrame", wanted: Iterable[str], *, source: str) -> Table:
    """The wanted columns of a frame; its first row is row 2, as below a header."""
    names = set(wanted)
    columns = {}
    for position, name in enumerate(frame.columns):
        if normal_name(str(name)) in names:
            values = frame.iloc[:, position]
            if values.dtype == object:
                values = values.astype("str").where(values.notna(), None)
            array = pa.Array.from_pandas(values)
            whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
            columns[normal_name(str(name))] = whole
    return Table(source, columns, rows_below_header(len(frame)), {})


def _parquet_header(path: Path) -> tuple[str, ...]:
    try:
        names = pa.parquet.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise _unreadable_parquet(path) from error
    return checked_header(names, source=path.name)


def _read_parquet(path: Path, wanted: set[str]) -> Table:
    try:
        with pa.parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            chosen = [name for name in names if normal_name(name) in wanted]
            table = file.read(columns=chosen)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable_parquet(path) from error
    columns = {}
    for name in chosen:
        column = table.column(name)
        if pa.types.is_nested(column.type):
            expected = "holds lists or structures; one value per cell is expected"
            raise ColumnError(shown_name(name), expected, source=path.name)
        columns[normal_name(name)] = column.combine_chunks()
    return Table(path.name, columns, rows_below_header(table.num_rows), {})


def _unreadable_parquet(path: Path) -> InputError:
    expected = "is not a readable Parquet file (cut short or damaged); write it again"
    return InputError("file", expected, source=path.name)
