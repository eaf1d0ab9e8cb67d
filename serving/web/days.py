"""Days as people write them, read only where one day can be meant."""

import re
from datetime import date

__all__ = ["EXPECTED", "iso"]

EXPECTED = "must be one day, such as 2026-03-14, 14 Mar 2026 or 14.03.2026"

MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january januar",
            "feb february februar",
            "mar march märz mär mrz",
            "apr april",
            "may mai",
            "jun june juni",
            "jul july juli",
            "aug august",
            "sep sept september",
            "oct october okt oktober",
            "nov november",
            "dec december dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}
ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})", re.ASCII)
DOTTED = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}|\d{2})", re.ASCII)
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", re.ASCII)
DAY_FIRST = re.compile(r"([0-9]{1,2})[. -]{0,2}([^\W\d_]+)[. -]{0,2}([0-9]{4}|[0-9]{2})")
MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? ([0-9]{1,2}),? ([0-9]{4})")
TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$", re.ASCII)
"""Of the day, as a laboratory or a spreadsheet puts it behind."""

CENTURY = 2000
"""Of a year written with two digits: nobody has a laboratory value of the one before at hand."""


def iso(text: str) -> str | None:
    """Day as YYYY-MM-DD, or None where it cannot be read or could be another day.

    Examples
    --------
    >>> iso("14 Mar 2026"), iso("14.03.2026"), iso("3/14/2026"), iso("March 14, 2026")
    ('2026-03-14', '2026-03-14', '2026-03-14', '2026-03-14')
    >>> iso("03/04/2026") is None  # the third of April, or the fourth of March
    True
    """
    parts = _parts(TIME.sub("", text.strip()))
    if parts is None:
        return None
    try:
        return date(*parts).isoformat()
    except ValueError:
        return None


def _parts(text: str) -> tuple[int, int, int] | None:
    if found := ISO.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := COMPACT.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := DOTTED.fullmatch(text):
        return _year(found[3]), int(found[2]), int(found[1])
    if found := SLASHED.fullmatch(text):
        return _slashed(int(found[1]), int(found[2]), int(found[3]))
    if found := DAY_FIRST.fullmatch(text):
        return _named(found[2], int(found[1]), _year(found[3]))
    if found := MONTH_FIRST.fullmatch(text):
        return _named(found[1], int(found[2]), int(found[3]))
    return None


def _year(text: str) -> int:
    return int(text) + (CENTURY if len(text) == 2 else 0)


def _slashed(first: int, second: int, year: int) -> tuple[int, int, int] | None:
    """Day and month of 14/3 or 3/14; where both could be a month, only equal ones are one day."""
    if first > 12 or first == second:
        return year, second, first
    return (year, first, second) if second > 12 else None


def _named(month: str, day: int, year: int) -> tuple[int, int, int] | None:
    number = MONTHS.get(month.lower())
    return None if number is None else (year, number, day)
