"""From a cell to a number, a day or a code, with what is wrong where a cell is none of these.

Every function takes a whole column. Text is looked at once per distinct value. What is said of a
cell never repeats it.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.history import UNKNOWN, Codes, Floats, Ints
from features.labs import CellFault

__all__ = ["MISSING_DAY", "SERIAL_DATE", "codes", "days", "numbers", "texts"]

MISSING = frozenset({"", "na", "n/a", "nan", "null", "<na>"})
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
BOUND = re.compile(r"(<=?|>=?|≤|≥|~)\s*\d[\d.,]*", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
THOUSANDS = re.compile(r"[+-]?\d{1,3}((,\d{3})+\.|(\.\d{3})+,)\d+", re.ASCII)
ISO_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})([T ].*)?", re.ASCII)
DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})( \d.*)?", re.ASCII)
"""Day first: nobody writes points behind months."""
SERIAL = re.compile(r"\d{5}(\.\d+)?", re.ASCII)

NOT_A_NUMBER = "is not a number"
SERIAL_DATE = "is a spreadsheet's serial number; format the column as YYYY-MM-DD"
NOT_A_DATE = "is not a date; write YYYY-MM-DD or DD.MM.YYYY"
TOO_EARLY = "lies before 1900"
FIRST_DAY = (date(1900, 1, 1) - date(1970, 1, 1)).days
MISSING_DAY = np.iinfo(np.int64).min


def texts(column: pa.Array) -> pa.Array:
    """Cells as text, trimmed, empty where missing; whole numbers without a decimal point."""
    if pa.types.is_string(column.type) and column.null_count == 0:
        return pc.utf8_trim_whitespace(column)
    if pa.types.is_floating(column.type):
        values = column.to_numpy(zero_copy_only=False)
        if not np.any(np.mod(values[~np.isnan(values)], 1)):
            column = pc.cast(pa.array(values, from_pandas=True), pa.int64())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not pa.types.is_string(column.type):
        column = pc.cast(column, pa.string())
    return pc.fill_null(pc.utf8_trim_whitespace(column), "")


def numbers(column: pa.Array) -> tuple[Floats, list[CellFault]]:
    """Cells as numbers, NaN where missing or faulty."""
    if _is_numeric(column):
        values = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
        return _finite(values)
    cells = texts(column)
    try:
        empty = pc.equal(cells, "")
        filled = pc.if_else(empty, pa.scalar(None, pa.string()), cells)
        return _finite(pc.cast(filled, pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return _parsed(cells, _number, np.nan)


def days(column: pa.Array) -> tuple[Ints, list[CellFault]]:
    """Cells as days since 1970-01-01, the smallest integer where missing or faulty."""
    faults: list[CellFault] = []
    if not pa.types.is_temporal(column.type):
        cells = texts(column)
        try:
            column = pc.cast(cells, pa.date32())
        except pa.ArrowInvalid:
            values, faults = _parsed(cells, _day, np.nan)
            return np.where(np.isnan(values), MISSING_DAY, values).astype(np.int64), faults
    if pa.types.is_timestamp(column.type):
        naive = column if column.type.tz is None else pc.local_timestamp(column)
        column = pc.floor_temporal(naive, unit="day")
    try:
        number = pc.cast(pc.cast(column, pa.date32()), pa.int32())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        given = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        faults = [CellFault(int(i), NOT_A_DATE) for i in given]
        return np.full(len(column), MISSING_DAY), faults
    found = pc.fill_null(pc.cast(number, pa.int64()), MISSING_DAY).to_numpy()
    early = (found != MISSING_DAY) & (found < FIRST_DAY)
    faults = [CellFault(int(i), TOO_EARLY) for i in np.flatnonzero(early)]
    return np.where(early, MISSING_DAY, found), faults


def codes(column: pa.Array, words: Mapping[str, int]) -> tuple[Codes, list[CellFault]]:
    """Cells as codes of words in any case, unknown where missing or faulty."""
    expected = f"is not understood; expected one of {', '.join(words)}"
    known = {word.casefold(): code for word, code in words.items()}

    def code(text: str) -> float | CellFault:
        word = text.strip().casefold()
        if word in MISSING:
            return UNKNOWN
        return known.get(word, CellFault(0, expected))

    cells = column if pa.types.is_dictionary(column.type) else texts(column)
    values, faults = _parsed(cells, code, UNKNOWN)
    return values.astype(np.int8), faults


def _is_numeric(column: pa.Array) -> bool:
    kind = column.type
    return bool(
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def _finite(values: Floats) -> tuple[Floats, list[CellFault]]:
    infinite = np.isinf(values)
    if not infinite.any():
        return values, []
    faults = [CellFault(int(i), NOT_A_NUMBER) for i in np.flatnonzero(infinite)]
    return np.where(infinite, np.nan, values), faults


def _parsed(
    cells: pa.Array, parse: Callable[[str], float | CellFault], missing: float
) -> tuple[Floats, list[CellFault]]:
    """Parse each distinct text once and spread the answers over the cells."""
    encoded = pc.dictionary_encode(cells)
    index = pc.fill_null(encoded.indices, len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    answers = [*(parse(text) for text in encoded.dictionary.to_pylist()), missing]
    values = np.array([missing if isinstance(a, CellFault) else a for a in answers], dtype=float)
    wrong = np.array([isinstance(a, CellFault) for a in answers], dtype=bool)
    if not wrong.any():
        return values[index], []
    faults = [
        CellFault(int(i), answer.expected, answer.severity)
        for i in np.flatnonzero(wrong[index])
        if isinstance(answer := answers[index[i]], CellFault)
    ]
    return values[index], faults


def _number(text: str) -> float | CellFault:
    if text.casefold() in MISSING:
        return math.nan
    if NUMBER.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else CellFault(0, NOT_A_NUMBER)
    if BOUND.fullmatch(text):
        return CellFault(0, "is a bound, not a value; it was left out", "doubted")
    if DECIMAL_COMMA.fullmatch(text):
        return CellFault(0, "has a decimal comma; write a decimal point")
    if THOUSANDS.fullmatch(text):
        return CellFault(0, "has a sign between thousands; write digits and a decimal point only")
    if text[0] in "=#@":
        return CellFault(0, "is a spreadsheet formula or its error; save values, not formulas")
    if NUMBER.match(text):
        return CellFault(0, "is a number with something behind it; the column states the unit")
    return CellFault(0, NOT_A_NUMBER)


def _day(text: str) -> float | CellFault:
    if text.casefold() in MISSING:
        return math.nan
    if found := ISO_DAY.fullmatch(text):
        year, month, number = found[1], found[2], found[3]
    elif found := DOTTED_DAY.fullmatch(text):
        number, month, year = found[1], found[2], found[3]
    else:
        return CellFault(0, SERIAL_DATE if SERIAL.fullmatch(text) else NOT_A_DATE)
    try:
        day = date(int(year), int(month), int(number))
    except ValueError:
        return CellFault(0, "is a day that no calendar has; write YYYY-MM-DD")
    since = (day - date(1970, 1, 1)).days
    return float(since) if since >= FIRST_DAY else CellFault(0, TOO_EARLY)
