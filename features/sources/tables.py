"""A table as its file holds it: a header, columns of cells, and the row a person would count to.

CSV cells are text, Parquet and frame cells keep their type. Arrow reads the usual file; a file that
it cannot read is read again, slowly, to say which row is broken and to save the others. pandas is
never imported here.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from features.errors import ColumnError, InputError
from features.history import Ints

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cells",
    "Table",
    "header_of",
    "is_parquet",
    "normal_name",
    "table_from_frame",
    "table_of",
]

MOST_COLUMNS = 5_000
"""More than any laboratory export has; a wider header is another kind of file."""

HEADER_ROW = 1
EXCEL_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
PARQUET_MAGIC = b"PAR1"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

Cells = Literal["number", "day", "word", "text"]
ARROW_TYPES = {
    "number": pa.float64(),
    "day": pa.date32(),
    "word": pa.dictionary(pa.int32(), pa.string()),
    "text": pa.string(),
}


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
    """

    source: str
    columns: Mapping[str, pa.Array]
    row: Ints
    ragged: Mapping[int, str]

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def __len__(self) -> int:
        return int(self.row.size)


def normal_name(name: str) -> str:
    """Column name as compared: without byte-order mark and outer blanks, in lower case."""
    return name.removeprefix("\ufeff").strip().lower()


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its first bytes or, where those are broken, by its name."""
    with path.open("rb") as file:
        return file.read(4) == PARQUET_MAGIC or path.suffix.lower() in {".parquet", ".pq"}


def header_of(path: Path) -> tuple[str, ...]:
    """Normalised column names of a CSV or Parquet file.

    Raises
    ------
    InputError
        If the file is missing, empty, of another kind, or its header cannot be used.
    """
    if not path.is_file():
        raise InputError("file", "does not exist", source=path.name)
    if path.stat().st_size == 0:
        raise InputError("file", "is empty; give a header and one row per visit", source=path.name)
    return _parquet_header(path) if is_parquet(path) else _csv_header(path)


def table_of(path: Path, wanted: Mapping[str, Cells], *, may_be_empty: bool = False) -> Table:
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
    """
    table = _read_parquet(path, set(wanted)) if is_parquet(path) else _read_csv(path, wanted)
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
    return Table(source, columns, np.arange(len(frame), dtype=np.int64) + HEADER_ROW + 1, {})


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
                _shown(name), "is given twice; keep one column", row=HEADER_ROW, source=source
            )
        seen.add(name)
    return header


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:60])


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
            raise ColumnError(_shown(name), expected, source=path.name)
        columns[normal_name(name)] = column.combine_chunks()
    row = np.arange(table.num_rows, dtype=np.int64) + HEADER_ROW + 1
    return Table(path.name, columns, row, {})


def _unreadable_parquet(path: Path) -> InputError:
    expected = "is not a readable Parquet file (cut short or damaged); write it again"
    return InputError("file", expected, source=path.name)


def _csv_header(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        _check_kind(start, path.name)
        line = file.readline()
    if b"\r" in line:
        line = line.split(b"\r", 1)[0]
    text = _decoded(line, path.name)
    _check_separator(text, path.name)
    if len(text) > 100 * MOST_COLUMNS:
        message = f"is longer than {100 * MOST_COLUMNS} characters; this is another kind of file"
        raise ColumnError("header", message, row=HEADER_ROW, source=path.name)
    names = next(csv.reader([text]), [])
    if not any(name.strip() for name in names):
        message = "is blank; the first row names the columns"
        raise ColumnError("header", message, row=HEADER_ROW, source=path.name)
    return checked_header(names, source=path.name)


def _check_kind(start: bytes, source: str) -> None:
    if start.startswith(EXCEL_MAGIC):
        raise InputError("file", "is a workbook; save the sheet as CSV UTF-8", source=source)
    if start.startswith(b"\x1f\x8b"):
        raise InputError("file", "is compressed; unpack it first", source=source)
    if start.startswith(UTF16_MARKS):
        raise InputError("file", "is UTF-16; save it as UTF-8", row=HEADER_ROW, source=source)


def _check_separator(header: str, source: str) -> None:
    if "," in header:
        return
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")):
        if mark in header:
            message = f"separates columns by {name}; save with commas and decimal points"
            raise ColumnError("header", message, row=HEADER_ROW, source=source)


def _read_csv(path: Path, wanted: Mapping[str, Cells]) -> Table:
    data = path.read_bytes()
    if not data.isascii():
        _decoded(data, path.name)
    if b"\0" in data:
        row = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InputError("file", "holds binary data; expected text", row=row, source=path.name)
    header = _csv_header(path)
    chosen = {name: wanted[name] for name in header if name in wanted}
    # Arrow takes an open quotation mark for a cell that runs to the end of the file.
    if data.count(b'"') % 2 == 0:
        for kinds in (chosen, dict.fromkeys(chosen, "text")):
            try:
                return _read_regular_csv(data, header, kinds, path.name)
            except pa.ArrowInvalid:
                continue
    return _read_ragged_csv(data, header, set(chosen), path.name)


def _read_regular_csv(
    data: bytes, header: tuple[str, ...], kinds: Mapping[str, str], source: str
) -> Table:
    places = {name: f"{header.index(name)}" for name in kinds}
    read = pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(
            column_names=[f"{place}" for place in range(len(header))], skip_rows=1
        ),
        parse_options=pa.csv.ParseOptions(
            newlines_in_values=b'"' in data, ignore_empty_lines=len(header) == 1
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=list(places.values()),
            column_types={places[name]: ARROW_TYPES[kind] for name, kind in kinds.items()},
            strings_can_be_null=False,
        ),
    )
    columns = {name: column.combine_chunks() for name, column in zip(kinds, read, strict=True)}
    return _without_blank_rows(Table(source, columns, _rows(read.num_rows), {}))


def _rows(size: int) -> Ints:
    return np.arange(size, dtype=np.int64) + HEADER_ROW + 1


def _filled(column: pa.Array) -> NDArray[np.bool_]:
    valid = column.is_valid()
    if pa.types.is_string(column.type):
        valid = pa.compute.and_(valid, pa.compute.not_equal(column, ""))
    elif pa.types.is_dictionary(column.type):
        blank = pa.compute.index_in(pa.scalar(""), column.dictionary).as_py()
        if blank is not None:
            valid = pa.compute.not_equal(column.indices, blank)
    filled: NDArray[np.bool_] = valid.to_numpy(zero_copy_only=False)
    return filled


def _without_blank_rows(table: Table) -> Table:
    filled = np.zeros(len(table), dtype=bool)
    for column in table.columns.values():
        if filled.all():
            return table
        filled |= _filled(column)
    if filled.all():
        return table
    place = np.flatnonzero(filled)
    columns = {name: column.take(pa.array(place)) for name, column in table.columns.items()}
    new_place = dict(zip(place.tolist(), range(place.size), strict=True))
    ragged = {new_place[i]: said for i, said in table.ragged.items() if i in new_place}
    return Table(table.source, columns, table.row[place], ragged)


def _read_ragged_csv(data: bytes, header: tuple[str, ...], wanted: set[str], source: str) -> Table:
    """Read cell by cell, keeping rows of the wrong width with the reason they cannot be used."""
    chosen = {name: place for place, name in enumerate(header) if name in wanted}
    cells: dict[str, list[str]] = {name: [] for name in chosen}
    ragged = {}
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    size = -1
    try:
        for size, row in enumerate(reader, start=-1):
            if size < 0:
                continue
            if row and (fault := _width_fault(row, len(header))):
                ragged[size] = fault
            for name, place in chosen.items():
                cells[name].append(row[place] if place < len(row) else "")
    except csv.Error as error:
        message = "has a quotation mark that is not closed, or stray text after one"
        raise InputError("file", message, row=size + 3, source=source) from error
    columns = {name: pa.array(values, pa.string()) for name, values in cells.items()}
    return _without_blank_rows(Table(source, columns, _rows(size + 1), ragged))


def _width_fault(row: list[str], width: int) -> str | None:
    if len(row) < width:
        return f"has {len(row)} cells where the header has {width}"
    if any(cell.strip() for cell in row[width:]):
        return (
            f"has {len(row)} cells where the header has {width}; "
            "a decimal comma, or a comma in a text without quotation marks?"
        )
    return None


def _decoded(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        row = before.count(b"\n") + 1
        place = before[before.rfind(b"\n") + 1 :].count(b",") + 1
        message = "is not UTF-8; save the file as UTF-8"
        raise InputError(f"column {place}", message, row=row, source=source) from error
