"""How a CSV file separates its columns and writes its decimals: told by the file, never guessed.

Excel in languages with decimal commas saves ``m_protein_g_dl;age`` and ``2,4;61``, in UTF-8 or in
Windows-1252. A comma or point that could as well stand between thousands is settled by the others
of the file; where none settles it, the file is refused.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ColumnError, InputError
from features.history import Ints
from features.sources.table import HEADER_ROW

__all__ = [
    "COMMA",
    "SEMICOLON",
    "as_utf8",
    "decimal_sign_of",
    "header_line",
    "separator_of",
    "with_points",
]

COMMA, SEMICOLON = ",", ";"

# Blanks of every kind, as the reader takes them off; digits of one script.
MARKED = re.compile(r"[<>≤≥~=\s]*[+-]?[0-9]+([.,])[0-9]+\s*")
"""A number, or a bound, with one comma or point in it."""

GROUPED = re.compile(r"[<>≤≥~=\s]*[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}\s*")
"""One in which that sign may stand between thousands."""

OTHERS = {"\t": "tabs", "|": "vertical bars"}
QUOTED = re.compile(r'"[^"]*"')
LINE_END = re.compile(rb"[\r\n]")
NO_LETTERS = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that are no sign in Windows-1252."""


def header_line(data: bytes) -> bytes:
    """First line of a file, without its end."""
    end = LINE_END.search(data)
    return data[: end.start()] if end else data


def separator_of(header: str, source: str) -> str:
    """The sign between the columns of a header: a comma, else a semicolon.

    Raises
    ------
    ColumnError
        If it is another one, or could be either.
    """
    bare = QUOTED.sub("", header)
    if SEMICOLON in bare and COMMA in bare:
        message = "has both commas and semicolons; put names that hold one in quotation marks"
        raise ColumnError("header", message, row=HEADER_ROW, source=source)
    if SEMICOLON in bare:
        return SEMICOLON
    for mark, name in OTHERS.items():
        if mark in bare and COMMA not in bare:
            message = f"separates columns by {name}; save with commas or semicolons"
            raise ColumnError("header", message, row=HEADER_ROW, source=source)
    return COMMA


def as_utf8(data: bytes, source: str) -> tuple[bytes, tuple[str, ...]]:
    """A file, or its header alone, in UTF-8, and what is to be noted about it.

    What is not UTF-8 is read as Windows-1252 where semicolons separate the columns, as Excel saves
    it; any other file is refused.
    """
    if data.isascii():
        return data, ()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = error
    else:
        return data, ()
    if _may_be_windows_1252(data):
        note = "the file is not UTF-8 and was read as Windows-1252, as Excel saves it"
        return data.decode("cp1252").encode(), (note,)
    before = data[: wrong.start]
    row = before.count(b"\n") + 1
    place = before[before.rfind(b"\n") + 1 :].count(b",") + 1
    message = "is not UTF-8; save the file as UTF-8"
    raise InputError(f"column {place}", message, row=row, source=source) from None


def _may_be_windows_1252(data: bytes) -> bool:
    """Whether a header has semicolons and nothing of UTF-8, and every byte below has a letter."""
    header = header_line(data)
    bare = QUOTED.sub("", header.decode("latin-1"))
    if SEMICOLON not in bare or COMMA in bare or not (header.isascii() or not _is_utf8(header)):
        return False
    return not any(byte in data for byte in NO_LETTERS)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def with_points(
    columns: Mapping[str, pa.Array], numbers: set[str], row: Ints, source: str
) -> tuple[dict[str, pa.Array], tuple[str, ...]]:
    """Columns of text whose numbers have decimal points, and what is to be noted about them.

    Parameters
    ----------
    columns
        Of a file with semicolons between its columns.
    numbers
        Those that hold numbers.
    row : (n,) array
        Row of the file of each cell.
    source
        Name of the file.

    Raises
    ------
    ColumnError
        As `decimal_sign_of`.
    """
    if decimal_sign_of(columns, numbers, row, source) != COMMA:
        return dict(columns), ()
    told = {
        name: pc.replace_substring_regex(cells, r"^([^.,]*),([^.,]*)$", r"\1.\2")
        if name in numbers
        else cells
        for name, cells in columns.items()
    }
    return told, ("numbers of the file have decimal commas",)


def decimal_sign_of(
    columns: Mapping[str, pa.Array], numbers: set[str], row: Ints, source: str
) -> str | None:
    """The decimal sign of a file's numbers; None where none of them has one.

    Parameters
    ----------
    columns, numbers, row, source
        As of `with_points`.

    Raises
    ------
    ColumnError
        If some numbers have commas and others points, or no number settles what the sign means.
    """
    first: dict[str, tuple[str, int]] = {}
    settled = False
    for name in sorted(numbers):
        for text, at in _distinct(columns[name], row):
            if found := MARKED.fullmatch(text):
                settled = settled or not GROUPED.fullmatch(text)
                first.setdefault(found[1], (name, at))
    if len(first) == 2:
        name, at = max(first.values(), key=lambda each: each[1])
        message = "has a decimal comma where other numbers have points, or the reverse; save alike"
        raise ColumnError(name, message, row=at, source=source)
    if first and not settled:
        ((mark, (name, at)),) = first.items()
        sign = "comma" if mark == COMMA else "point"
        message = (
            f"has a {sign} that may be decimal or between thousands, and no other number of the "
            "file tells; save with commas between columns and decimal points"
        )
        raise ColumnError(name, message, row=at, source=source)
    return next(iter(first), None)


def _distinct(cells: pa.Array, row: Ints) -> list[tuple[str, int]]:
    """Texts of a column and the row in which each first stands."""
    encoded = pc.dictionary_encode(cells)
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    places = np.unique(codes, return_index=True)[1]
    texts = encoded.dictionary.to_pylist()
    return [(texts[k], int(row[place])) for k, place in enumerate(places)]
