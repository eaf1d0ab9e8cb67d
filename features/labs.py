"""Lab rows: the one form in which every reader hands over what it read.

A lab row is (subject, time, analyte, value, unit). Rows are kept by column – all values of one
analyte in one unit together – so that reading, conversion and checking cost array operations.
Values are as given: nothing here is converted or judged, `features.visits` does both.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from features.history import UNKNOWN, Codes, Floats, Ints

__all__ = [
    "DAYS_PER_YEAR",
    "CellFault",
    "LabColumn",
    "LabRows",
    "Problem",
    "Severity",
    "age_from_birth_year",
    "unknown_codes",
    "years_from_days",
]

Severity = Literal["refused", "doubted"]

DAYS_PER_YEAR = 365.25


def years_from_days(days: Ints | Floats) -> Floats:
    """Years on the clock of dated visits, from days since 1970-01-01."""
    return np.asarray(days, dtype=np.float64) / DAYS_PER_YEAR


def age_from_birth_year(time_years: Floats, birth_year: Floats) -> Floats:
    """Age in years on the clock of dated visits, taking a birth in the middle of its year."""
    return np.asarray(1970.0 + time_years - (birth_year + 0.5), dtype=np.float64)


def unknown_codes(size: int) -> Codes:
    """(size,) codes that all say unknown."""
    return np.full(size, UNKNOWN, dtype=np.int8)


@dataclass(frozen=True, slots=True)
class LabColumn:
    """All values of one analyte given in one unit.

    Parameters
    ----------
    analyte
        Catalogue name.
    unit
        As given; one of the analyte's accepted units.
    visit : (m,) array
        Index of the visit each value belongs to.
    value : (m,) array
        As given, in `unit`; NaN where the cell is empty.
    field
        What the caller calls it: a column header, a JSON path.
    """

    analyte: str
    unit: str
    visit: Ints
    value: Floats
    field: str


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong with the cell at an index of a column."""

    index: int
    expected: str
    severity: Severity = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell that a reader could not take as it stands.

    Parameters
    ----------
    subject
        Index of the subject.
    row
        Row of the source as a person counts it, or None.
    field
        Column or path.
    expected
        What was expected there; never the value itself.
    severity
        ``refused``: not understood, so its subject is not answered, and others are. ``doubted``:
        understood but left out, as a bound (``<0.5``) is no value.
    """

    subject: int
    row: int | None
    field: str
    expected: str
    severity: Severity = "refused"


@dataclass(frozen=True, slots=True)
class LabRows:
    """What a reader read: visits in the order of the source, and the values measured at them.

    Parameters
    ----------
    subject_ids : tuple of s strings
        In order of first appearance.
    subject : (n,) array
        Index into `subject_ids` of each visit.
    time_years : (n,) array
        Years since 1970-01-01 when `dated`, else years since diagnosis; NaN where unreadable (with
        a problem that says so).
    row : (n,) array
        Row of the source, as a person counts it.
    age_years : (n,) array
        Age at the visit, NaN where unknown.
    sex, heavy_chain, light_chain : (s,) arrays
        Codes of `features.history`.
    diagnosis_years : (s,) array
        Diagnosis on the same clock, NaN where unknown.
    columns
        The values.
    dated
        Whether the clock is the calendar.
    problems
        Cells that were not understood.
    notes
        What the reader passed over, one line each.
    """

    subject_ids: tuple[str, ...]
    subject: Ints
    time_years: Floats
    row: Ints
    age_years: Floats
    sex: Codes
    heavy_chain: Codes
    light_chain: Codes
    diagnosis_years: Floats
    columns: tuple[LabColumn, ...]
    dated: bool
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
