"""CSV files of outcomes, risks and visits as frames, in any dialect that lab files may have."""

import re
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from features.sources.dialect import (
    COMMA,
    SEMICOLON,
    as_utf8,
    decimal_sign_of,
    header_line,
    separator_of,
)
from features.sources.table import rows_below_header

__all__ = ["csv_columns", "csv_frame"]

DECIMAL_COMMA = re.compile(r"^(\s*[+-]?\d+),(\d+\s*)$", re.ASCII)


def csv_frame(path: Path, *, texts: Collection[str], **options: Any) -> pd.DataFrame:
    """Frame of a CSV file with commas, or as Excel saves it with semicolons.

    Parameters
    ----------
    path
        The file.
    texts
        Columns in which a comma is no decimal sign, whatever stands beside it.
    options
        Of `pandas.read_csv`, beside those that the dialect settles.

    Raises
    ------
    InputError
        The file is not UTF-8, has other separators, or a sign that may be decimal or not.
    """
    data, _ = as_utf8(path.read_bytes(), path.name)
    separator = separator_of(header_line(data).decode(), path.name)
    decimal = _decimal_sign(data, texts, path.name) if separator == SEMICOLON else "."
    frame = _parsed(data, sep=separator, decimal=decimal, **options)
    return frame if decimal == "." else _with_points(frame, texts)


def csv_columns(path: Path) -> list[str]:
    """Column names of a CSV file as its frame has them."""
    data, _ = as_utf8(path.read_bytes(), path.name)
    separator = separator_of(header_line(data).decode(), path.name)
    return [str(name) for name in _parsed(data, sep=separator, nrows=0).columns]


def _with_points(frame: pd.DataFrame, texts: Collection[str]) -> pd.DataFrame:
    """A frame whose decimal commas are points in the columns that pandas took for text.

    One cell that is no number is enough for that, and every other one would be at fault too.
    """
    for name, cells in frame.items():
        if not pd.api.types.is_numeric_dtype(cells) and str(name).strip() not in texts:
            frame[name] = cells.str.replace(DECIMAL_COMMA, r"\1.\2", regex=True)
    return frame


def _decimal_sign(data: bytes, texts: Collection[str], source: str) -> str:
    """Of a file with semicolons; a point where no number has either sign."""
    cells = _parsed(data, sep=SEMICOLON, dtype=str, keep_default_na=False, skip_blank_lines=False)
    # By place: two names may differ in blanks only.
    columns = {
        str(name).strip(): pa.array(cells.iloc[:, place].fillna(""), pa.string())
        for place, name in enumerate(cells.columns)
    }
    row = rows_below_header(len(cells))
    found = decimal_sign_of(columns, set(columns).difference(texts), row, source)
    return COMMA if found == COMMA else "."


def _parsed(data: bytes, **options: Any) -> pd.DataFrame:
    frame: pd.DataFrame = pd.read_csv(BytesIO(data), encoding="utf-8-sig", **options)
    return frame
