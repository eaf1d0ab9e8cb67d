"""CSV as a table: read by Arrow, and where Arrow cannot, again cell by cell.

The careful way is slow; it says which row is broken and saves the others.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from numpy.typing import NDArray

from features.errors import ColumnError, InputError
from features.sources.dialect import (
    COMMA,
    SEMICOLON,
    as_utf8,
    header_line,
    separator_of,
    with_points,
)
from features.sources.table import (
    HEADER_ROW,
    MOST_COLUMNS,
    Cells,
    Table,
    checked_header,
    rows_below_header,
)

__all__ = ["csv_header", "read_csv"]

EXCEL_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")

DOCUMENT_MAGIC = b"%PDF"
FIRST_BYTES = 16
"""Pictures and other things that are no text have a zero among them."""

MOST_HEADER = 100 * MOST_COLUMNS
"""Characters of a header; a longer one is of another kind of file."""

BEYOND = {
    COMMA: "a decimal comma, or a comma in a text without quotation marks?",
    SEMICOLON: "a semicolon in a text without quotation marks?",
}

ARROW_TYPES = {
    "number": pa.float64(),
    "day": pa.date32(),
    "word": pa.dictionary(pa.int32(), pa.string()),
    "text": pa.string(),
}


def csv_header(path: Path) -> tuple[str, ...]:
    """Normalised column names of a CSV file."""
    with path.open("rb") as file:
        start = file.read(FIRST_BYTES)
        file.seek(0)
        _check_kind(start, path.name)
        line = file.readline()
    if b"\r" in line:
        line = line.split(b"\r", 1)[0]
    text = as_utf8(line, path.name)[0].decode("utf-8-sig")
    separator = separator_of(text, path.name)
    if len(text) > MOST_HEADER:
        message = f"is longer than {MOST_HEADER} characters; this is another kind of file"
        raise ColumnError("header", message, row=HEADER_ROW, source=path.name)
    try:
        names = next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error:
        message = "has a quotation mark that is not closed in its row, or an endless name"
        raise ColumnError("header", message, row=HEADER_ROW, source=path.name) from None
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
    if start.startswith(DOCUMENT_MAGIC) or b"\0" in start:
        message = "is no table; expected CSV, Parquet or FHIR's JSON"
        raise InputError("file", message, source=source)


def read_csv(path: Path, wanted: Mapping[str, Cells]) -> Table:
    """The wanted columns of a CSV file, typed where every cell is what it should be, else text."""
    data, notes = as_utf8(path.read_bytes(), path.name)
    if b"\0" in data:
        row = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InputError("file", "holds binary data; expected text", row=row, source=path.name)
    header = csv_header(path)
    chosen = {name: wanted[name] for name in header if name in wanted}
    if separator_of(header_line(data).decode(), path.name) == SEMICOLON:
        table = _read(data, header, [dict.fromkeys(chosen, "text")], SEMICOLON, path.name)
        numbers = {name for name, cells in chosen.items() if cells == "number"}
        columns, told = with_points(table.columns, numbers, table.row, path.name)
        return replace(table, columns=columns, notes=notes + told)
    return _read(data, header, [chosen, dict.fromkeys(chosen, "text")], COMMA, path.name)


def _read(
    data: bytes,
    header: tuple[str, ...],
    tries: Sequence[Mapping[str, str]],
    separator: str,
    source: str,
) -> Table:
    # Arrow takes an open quotation mark for a cell that runs to the end of the file.
    if data.count(b'"') % 2 == 0:
        for kinds in tries:
            try:
                return _read_regular_csv(data, header, kinds, separator, source)
            except pa.ArrowInvalid:
                continue
    return _read_ragged_csv(data, header, set(tries[-1]), separator, source)


def _read_regular_csv(
    data: bytes, header: tuple[str, ...], kinds: Mapping[str, str], separator: str, source: str
) -> Table:
    places = {name: f"{header.index(name)}" for name in kinds}
    read = pa.csv.read_csv(
        pa.BufferReader(data),
        read_options=pa.csv.ReadOptions(
            column_names=[f"{place}" for place in range(len(header))], skip_rows=1
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=separator,
            newlines_in_values=b'"' in data,
            ignore_empty_lines=len(header) == 1,
        ),
        convert_options=pa.csv.ConvertOptions(
            include_columns=list(places.values()),
            column_types={places[name]: ARROW_TYPES[kind] for name, kind in kinds.items()},
            strings_can_be_null=False,
        ),
    )
    columns = {name: column.combine_chunks() for name, column in zip(kinds, read, strict=True)}
    return _without_blank_rows(Table(source, columns, rows_below_header(read.num_rows), {}))


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
    return replace(table, columns=columns, row=table.row[place], ragged=ragged)


def _read_ragged_csv(
    data: bytes, header: tuple[str, ...], wanted: set[str], separator: str, source: str
) -> Table:
    """Read cell by cell, keeping rows of the wrong width with the reason they cannot be used."""
    chosen = {name: place for place, name in enumerate(header) if name in wanted}
    cells: dict[str, list[str]] = {name: [] for name in chosen}
    ragged = {}
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    size = -1
    try:
        for size, row in enumerate(reader, start=-1):
            if size < 0:
                continue
            if row and (fault := _width_fault(row, len(header), separator)):
                ragged[size] = fault
            for name, place in chosen.items():
                cells[name].append(row[place] if place < len(row) else "")
    except csv.Error:
        message = "has a quotation mark that is not closed, or stray text after one"
        raise InputError("file", message, row=size + 3, source=source) from None
    columns = {name: pa.array(values, pa.string()) for name, values in cells.items()}
    return _without_blank_rows(Table(source, columns, rows_below_header(size + 1), ragged))


def _width_fault(row: list[str], width: int, separator: str) -> str | None:
    if len(row) < width:
        return f"has {len(row)} cells where the header has {width}"
    if any(cell.strip() for cell in row[width:]):
        return f"has {len(row)} cells where the header has {width}; {BEYOND[separator]}"
    return None
